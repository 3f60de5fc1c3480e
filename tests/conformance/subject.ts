import { EventBus } from '@threadbus/core';
import { WorkerBus } from '@threadbus/worker';
import { CircleUp, Down, Seen, Up } from '../fixtures/worker/conformance-events.ts';
import { registerHandlers } from '../fixtures/worker/conformance-handlers.ts';
import { fixtureUrl } from '../helpers/fixture.ts';
import { type Gate, gate } from '../helpers/gate.ts';

export type SubjectKind = 'same thread' | 'next thread' | 'thread after next' | 'next process' | 'process after next';

/** A bus with the fixture's handlers, wherever it lives, and the bus of this thread that started it. */
export interface Subject extends AsyncDisposable {
  readonly kind: SubjectKind;
  readonly bus: EventBus | WorkerBus;
  readonly home: EventBus;
  /** Names of the buses that an event passes, `bus` first. */
  readonly path: readonly string[];
  /** Events come as copies, and only what can be cloned comes. */
  readonly crosses: boolean;
  /** Opens when the handler at home has seen a Hold of the key; what it waits for is `release`. */
  readonly seen: (key: string) => Gate;
  readonly release: (key: string) => Gate;
}

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

export async function startSubject(kind: SubjectKind): Promise<Subject> {
  const home = new EventBus({ name: 'Home', maxPending: null, logger: silent });
  const gates = new Map<string, Gate>();
  const gateOf = (key: string): Gate => {
    const known = gates.get(key) ?? gate();
    gates.set(key, known);
    return known;
  };
  const bus = await start(kind, home);
  home.on(Up, async function up({ left }) {
    if (left === 0) return 0;
    return 1 + ((await bus.dispatch(new Down({ left: left - 1 })).eventResult()) as number);
  });
  // On a bus of its own: what waits for a gate must not hold the slot of the bus at home.
  const door = new EventBus({ name: 'Door', maxPending: null, parallelHandlers: true, logger: silent });
  door.on(Seen, async ({ key }) => {
    gateOf(`${key} seen`).open();
    await gateOf(`${key} release`).opened;
  });
  home.on(Seen, door.dispatch);
  home.on(CircleUp, async (event) => {
    await circles.get(event.event_parent_id ?? '')?.();
  });
  return {
    kind,
    bus,
    home,
    path: kind.endsWith('after next') ? ['Middle', 'Subject'] : ['Subject'],
    crosses: kind !== 'same thread',
    seen: (key) => gateOf(`${key} seen`),
    release: (key) => gateOf(`${key} release`),
    [Symbol.asyncDispose]: async () => {
      await bus.stop({ clear: true });
      await home.stop({ clear: true });
      await door.stop({ clear: true });
    },
  };
}

/** What the handler of CircleUp does for a child of the event with that id. */
export const circles = new Map<string, () => Promise<unknown>>();

async function start(kind: SubjectKind, home: EventBus): Promise<EventBus | WorkerBus> {
  if (kind === 'same thread') {
    const bus = new EventBus({ name: 'Subject', maxPending: null, logger: silent });
    registerHandlers(bus, home);
    return bus;
  }
  const entry = kind.endsWith('after next') ? 'conformance-middle' : 'conformance-bus';
  const isolation = kind.includes('process') ? 'process' : 'thread';
  return WorkerBus.start(fixtureUrl(`worker/${entry}`), { parent: home, isolation, workerData: { isolation } });
}
