import { PassThrough } from 'node:stream';
import { BaseEvent, type EventBus } from '@threadbus/core';
import { linkBuses, type LinkedBus, streamTransport, type Transport } from '@threadbus/link';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { quietBus } from '../../helpers/quiet-bus.ts';

/*
 * A transport within one thread may hand a frame over while it is being sent. The other side's answer then comes within
 * that call, and what is said to it goes out within it, too: frames keep their order all the same.
 */
const Count = BaseEvent.extend('Count', { n: z.number() }, { timeout: 60, result: z.number() });
const Told = BaseEvent.extend('Told', { n: z.number() }, { timeout: 60 });

/** Two ends, each of which is called by the other's `send`. */
function directPair(): [Transport, Transport] {
  const receivers: ((frame: unknown) => void)[] = [];
  const early: unknown[][] = [[], []];
  const end = (own: number): Transport => ({
    open(receive) {
      receivers[own] = receive;
      for (const frame of early[own] ?? []) receive(frame);
    },
    send(frame) {
      const copy: unknown = structuredClone(frame);
      const receive = receivers[1 - own];
      if (receive === undefined) early[1 - own]?.push(copy);
      else receive(copy);
    },
    close: () => undefined,
    ref: () => undefined,
    unref: () => undefined,
  });
  return [end(0), end(1)];
}

function streamPair(): [Transport, Transport] {
  const [one, other] = [new PassThrough(), new PassThrough()];
  return [streamTransport(one, other), streamTransport(other, one)];
}

async function join(
  here: EventBus,
  there: EventBus,
  pair: [Transport, Transport],
  maxInFlight: number,
): Promise<LinkedBus[]> {
  const [one, other] = pair;
  return Promise.all([linkBuses(here, one, { maxInFlight }), linkBuses(there, other, { maxInFlight })]);
}

for (const [name, pair] of Object.entries({ 'a direct one': directPair, 'streams of this thread': streamPair })) {
  test.for([1, 2, 256])(`synchronous transport - ${name}, window %i`, async (window) => {
    const [here, there] = [quietBus({ maxPending: null }), quietBus({ maxPending: null })];
    const [down, up] = (await join(here, there, pair(), window)) as [LinkedBus, LinkedBus];
    const seen: number[] = [];
    const step =
      (next: LinkedBus) =>
      async ({ n }: InstanceType<typeof Count>): Promise<number> =>
        n === 0 ? 0 : 1 + ((await next.dispatch(new Count({ n: n - 1 })).eventResult()) ?? 0);
    here.on(Count, step(down));
    there.on(Count, step(up));
    down.on(Told, ({ n }) => void seen.push(n));
    const expected = down.expect(Told, { include: ({ n }) => n === 29, timeout: 60 });
    const sent = Array.from({ length: 40 }, (_, n) => down.dispatch(new Count({ n })));
    expect(await Promise.all(sent.map(async (each) => each.eventResult()))).toEqual(sent.map((_, i) => i));
    await Promise.all(Array.from({ length: 30 }, (_, i) => there.dispatch(new Told({ n: i }))));
    expect((await expected).event_status).toBe('completed');
    expect(seen).toEqual(Array.from({ length: 30 }, (_, i) => i));
  });
}
