import { BaseEvent, EventBus } from '@threadbus/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { connected, newNamespace } from '../helpers/nets.ts';

const Once = BaseEvent.extend('Once', { n: z.number() }, { result: z.number() });
const ignore = (): void => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const pause = (seconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, seconds * 1000));

describe.skipIf(!hasServer)('broker killed', () => {
  // A server that is killed forgets acknowledgements that it has answered.
  test('queue - with maxDeliver 1 nothing runs twice, or is given up, while the broker is killed again and again', async () => {
    const server = await NatsServer.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const namespace = newNamespace();
    const options = { events: [Once], maxDeliver: 1, ackWait: 1 };
    const sender = await (await connected({ servers: server.url, namespace })).queue('jobs', options);
    const worker = await (await connected({ servers: server.url, namespace })).queue('jobs', options);
    const runs = new Map<number, number>();
    const bus = new EventBus({ maxPending: null, parallelHandlers: true, logger });
    onTestFinished(() => bus.stop());
    bus.on(Once, ({ n }) => {
      runs.set(n, (runs.get(n) ?? 0) + 1);
      return n;
    });
    worker.work(bus, { concurrency: 4 });
    let next = 0;
    const over = new AbortController();
    const ends: Promise<string>[] = [];
    const load = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const n = (next += 1);
        const receipt = await sender.enqueue(new Once({ n }), { timeout: 20 });
        ends.push(receipt.completed({ timeout: 30 }).then(({ event_outcome: outcome }) => String(outcome)));
      }
    };
    const loads = [1, 2, 3, 4].map(load);
    for (const seconds of [0.35, 0.5, 0.25, 0.6]) {
      await pause(seconds);
      await server.kill();
      await server.start();
    }
    over.abort();
    await Promise.all(loads);
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['succeeded']));
    await expect
      .poll(() => sender.stats().catch(() => null), { timeout: 20_000 })
      .toEqual({ waiting: 0, running: 0, dead: 0 });
    expect(runs.size).toBe(next);
    expect([...runs].filter(([, count]) => count > 1)).toEqual([]);
  }, 90_000);
});
