import { EventBus } from '@threadbus/core';
import { busEngine, checkFlag, checkOptions, describe } from '@threadbus/core/internal';
import { BusReference } from '@threadbus/link/internal';
import { failureOf } from '../basics/bus-failure.ts';
import { Offer, type OfferHost } from './offer.ts';

/** Options of `net.serve`. */
export interface ServeOptions {
  /** Whether several processes serve the name, each with a bus of its own; all of them must say the same. @default false */
  readonly replicas?: boolean | undefined;
}

/** @throws TypeError, NameTakenError */
export async function serveBus(host: OfferHost, bus: unknown, options: ServeOptions): Promise<Offer> {
  checkOptions('serve', options, ['replicas']);
  checkFlag('replicas', options.replicas);
  const { replicas = false } = options;
  const failure = failureOf(bus);
  if (failure !== null) throw failure;
  if (bus instanceof EventBus) return Offer.make(host, { bus, name: bus.name, replicas });
  if (bus instanceof BusReference) return Offer.make(host, { bus: doorOf(bus), name: bus.name, replicas });
  throw new TypeError(
    `Expected serve to get an EventBus or a WorkerBus; got ${describe(bus)}. Put a handler behind a bus: bus.on(Task, handler), then net.serve(bus).`,
  );
}

const doors = new WeakMap<BusReference, EventBus>();

/** Links end at a bus of this thread: for one that lives elsewhere, at one that passes everything on, both ways. */
function doorOf(bus: BusReference): EventBus {
  const known = doors.get(bus);
  if (known !== undefined && !busEngine(known).stopped) return known;
  const door = new EventBus({ name: `${bus.name}Door`, maxPending: null, maxHistorySize: 0 });
  door.on('*', bus.dispatch);
  bus.on('*', door.dispatch);
  doors.set(bus, door);
  return door;
}
