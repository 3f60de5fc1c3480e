import { BaseEvent, EventBus, type HandlerContext } from '@threadbus/core';
import { isAttemptTimeoutError, retry, retryContext } from '@threadbus/semaphore';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Gauge, settled } from '../gate.ts';
import { LogLines } from '../log-lines.ts';

class Fetch extends BaseEvent.extend('Fetch', { url: z.string() }) {}

function makeBus(): EventBus {
  const bus = new EventBus({ parallelHandlers: true });
  onTestFinished(() => bus.stop());
  return bus;
}

test("handler - a wrapped handler fails twice, succeeds, and its value is the event's result", async () => {
  const bus = makeBus();
  const calls: number[] = [];
  bus.on(
    Fetch,
    retry({ retries: 2, wait: 0.1, logger: new LogLines() })(async (event: Fetch, { signal }: HandlerContext) => {
      signal.throwIfAborted();
      calls.push(performance.now());
      if (calls.length < 3) throw new Error('not yet');
      return `page of ${event.url}`;
    }),
  );
  expect(await bus.dispatch(new Fetch({ url: 'a' })).eventResult()).toBe('page of a');
  expect(calls).toHaveLength(3);
  expect(Number(calls[1]) - Number(calls[0])).toBeGreaterThanOrEqual(80);
  expect(Number(calls[2]) - Number(calls[1])).toBeGreaterThanOrEqual(80);
});

test("handler - an attempt timeout is the result's error, long before the event's own timeout", async () => {
  const bus = makeBus();
  bus.on(
    Fetch,
    retry({ retries: 0, timeout: 0.05, logger: new LogLines() })(async () => new Promise(() => {})),
  );
  const event = await bus.dispatch(new Fetch({ url: 'a' }, { event_timeout: 5 }));
  const [result] = [...event.event_results.values()];
  expect(result?.status).toBe('error');
  expect(isAttemptTimeoutError(result?.error)).toBe(true);
});

test("handler - the event's timeout bounds all attempts and waits, and gives the slot back", async () => {
  const bus = makeBus();
  let attempts = 0;
  let aborted: AbortSignal | undefined;
  const wrapped = retry({ retries: 100, wait: 0.01, timeout: null, semaphoreLimit: 1, semaphoreLax: false })(
    async () => {
      attempts++;
      aborted = retryContext().signal;
      if (attempts < 3) throw new Error('not yet');
      await new Promise(() => {});
    },
  );
  bus.on(Fetch, wrapped);
  const event = await bus.dispatch(new Fetch({ url: 'a' }, { event_timeout: 1.5 }));
  expect([...event.event_results.values()][0]?.error).toMatchObject({ name: 'HandlerTimeoutError' });
  await settled();
  expect([attempts, aborted?.aborted]).toEqual([3, true]);
  const again = wrapped();
  await settled();
  expect(attempts).toBe(4);
  again.catch(() => {});
});

test('handler - a limit holds over the handlers of several buses', async () => {
  const gauge = new Gauge();
  const handler = retry({ semaphoreLimit: 2, retries: 0 })(async () => {
    gauge.enter();
    for (let turn = 0; turn < 5; turn++) await settled();
    gauge.leave();
  });
  const buses = Array.from({ length: 6 }, () => makeBus());
  for (const bus of buses) bus.on(Fetch, handler);
  await Promise.all(buses.map((bus) => bus.dispatch(new Fetch({ url: 'a' }))));
  expect(gauge).toMatchObject({ most: 2, total: 6 });
});
