import { BaseEvent, type EventBus } from '@threadbus/core';
import { linkBuses, type LinkedBus } from '@threadbus/link';
import { z } from 'zod';
import { randomNumbers } from '../../fixtures/random-numbers.ts';
import { quietBusOf } from './quiet.ts';
import { type Faults, transportPair } from './lossy-net.ts';

/** A call that makes more calls, on the same side or the other; the last of them may fail. */
const Work = BaseEvent.extend(
  'Work',
  { id: z.string(), depth: z.number(), children: z.number(), fill: z.string(), fails: z.boolean() },
  { result: z.string() },
);

interface Side {
  readonly bus: EventBus;
  readonly link: LinkedBus;
  /** Ids of events, as they were handled. */
  readonly handled: string[];
}

/**
 * Runs one random program of two linked buses over a carrier that spoils packets, and checks what came of it.
 *
 * @throws Error naming what is wrong: an event that ran twice or never, a wrong result, an order that was changed
 */
export async function runLinkProgram(seed: number, faults: Faults): Promise<void> {
  const next = randomNumbers(seed * 7 + 3);
  const pick = (below: number): number => Math.floor(next() * below);
  const pair = transportPair(seed, faults, { maxSize: 64 + pick(400), window: 200 + pick(4000) });
  const maxInFlight = 1 + pick(6);
  const sides: Side[] = [];
  const makers = pair.transports.map((transport, at) => {
    const bus = quietBusOf(`Side${at}`, { maxPending: null, parallelHandlers: pick(3) === 0 });
    return { bus, linking: linkBuses(bus, transport, { maxInFlight }) };
  });
  try {
    const links = await pair.run(Promise.all(makers.map(({ linking }) => linking)));
    makers.forEach(({ bus }, at) => {
      const side: Side = { bus, link: links[at] as LinkedBus, handled: [] };
      sides.push(side);
      bus.on(Work, async (event) => {
        side.handled.push(event.id);
        if (event.fails) throw new Error(`failed ${event.id}`);
        const names: string[] = [];
        for (let i = 0; i < event.children; i += 1) {
          const child = work(`${event.id}.${i}`, event.depth - 1);
          const target = pick(2) === 0 ? side.link : bus;
          const call = target.dispatch(child);
          names.push(
            pick(3) === 0 ? 'left' : await call.eventResult().catch((error: unknown) => (error as Error).message),
          );
        }
        return `${event.id}(${names.length})${event.fill.length}`;
      });
    });
    const expected = { total: 0 };
    function work(id: string, depth: number): InstanceType<typeof Work> {
      expected.total += 1;
      const children = depth > 0 ? pick(3) : 0;
      return new Work({
        id,
        depth,
        children,
        fill: 'x'.repeat(pick(4) === 0 ? pick(1500) : pick(20)),
        fails: pick(8) === 0,
      });
    }
    const roots: { event: InstanceType<typeof Work>; from: number }[] = [];
    const calls = Array.from({ length: 2 + pick(8) }, (_, i) => {
      const from = pick(2);
      const event = work(`${i}`, pick(3));
      roots.push({ event, from });
      return (sides[from] as Side).link.dispatch(event);
    });
    await pair.run(Promise.all(calls));
    roots.forEach(({ event }) => checkRoot(event));
    checkOnce([...(sides[0] as Side).handled, ...(sides[1] as Side).handled], expected.total);
    for (const from of [0, 1])
      checkOrder(
        roots.filter((root) => root.from === from).map(({ event }) => event.id),
        sides[1 - from] as Side,
      );
  } finally {
    for (const { bus } of makers) await bus.stop({ clear: true });
  }
}

function checkRoot(event: InstanceType<typeof Work>): void {
  const [result, ...more] = [...event.event_results.values()];
  if (result === undefined || more.length > 0) throw new Error(`${event.id}: ${more.length} results too many, or none`);
  if (event.event_status !== 'completed') throw new Error(`${event.id} is ${event.event_status}`);
  const wanted = event.fails ? `failed ${event.id}` : `${event.id}(${event.children})${event.fill.length}`;
  const got = event.fails ? (result.error as Error | null)?.message : result.result;
  if (got !== wanted) throw new Error(`${event.id}: expected ${wanted}, got ${String(got)}`);
}

function checkOnce(handled: readonly string[], total: number): void {
  const twice = handled.filter((id, at) => handled.indexOf(id) !== at);
  if (twice.length > 0) throw new Error(`ran twice: ${twice.join(', ')}`);
  if (handled.length !== total) throw new Error(`${total} were dispatched, ${handled.length} ran`);
}

/** Roots of one side are queued on the other in the order of their dispatch. */
function checkOrder(ids: readonly string[], { handled }: Side): void {
  const seen = handled.filter((id) => ids.includes(id));
  if (seen.join() !== ids.join()) throw new Error(`dispatched ${ids.join()}, ran ${seen.join()}`);
}
