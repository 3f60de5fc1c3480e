import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { BaseEvent, type EventBus } from '@threadbus/core';
import { HandlerPool, type PoolHandler } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { rejection } from '../../helpers/gate.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const double = moduleOf(`
  export default ({ of }) => {
    if (of === null) throw new RangeError('of nothing');
    return of * 2;
  };`);

type Called = (event: BaseEvent) => Promise<unknown>;

function poolBus(): { bus: EventBus; pool: HandlerPool; handler: PoolHandler<never> } {
  const pool = new HandlerPool({ maxThreads: 1 });
  const bus = quietBus();
  onTestFinished(() => pool.stop());
  return { bus, pool, handler: pool.handler(double) };
}

const go = (of: number | null): BaseEvent => new BaseEvent({ of }, { event_type: 'Go' });

test("pool called - by another handler of the event, a pool's handler gives a promise of its result", async () => {
  const { bus, handler } = poolBus();
  const seen: unknown[] = [];
  bus.on('Go', async (event: BaseEvent) => {
    const promise = (handler as unknown as Called)(event);
    seen.push(promise instanceof Promise);
    return promise.then(
      (value) => [value],
      (error: Error) => error.name,
    );
  });
  expect(await bus.dispatch(go(2)).eventResult()).toEqual([4]);
  expect(await bus.dispatch(go(null)).eventResult()).toBe('RangeError');
  expect(seen).toEqual([true, true]);
});

test('pool called - a middleware gets a promise of what is done in a thread', async () => {
  const { bus, handler } = poolBus();
  const seen: unknown[] = [];
  bus.on('Go', handler);
  bus.use(async (_event, _context, next) => {
    const promise = next();
    seen.push(promise instanceof Promise);
    return [await promise];
  });
  expect(await bus.dispatch(go(3)).eventResult()).toEqual([6]);
  expect((await rejection(bus.dispatch(go(null)).eventResult())).name).toBe('RangeError');
  expect(seen).toEqual([true, true]);
});

test('pool called - whoever listens to calls of handlers sees that of a thread end with its value', async () => {
  const { bus, handler } = poolBus();
  bus.on('Go', handler);
  const ended: unknown[] = [];
  const hear = (message: unknown): void => {
    const { result } = message as { readonly result: { readonly status: string; readonly result: unknown } };
    ended.push([result.status, result.result]);
  };
  subscribe('tracing:threadbus:handler:asyncEnd', hear);
  onTestFinished(() => void unsubscribe('tracing:threadbus:handler:asyncEnd', hear));
  expect(await bus.dispatch(go(4)).eventResult()).toBe(8);
  expect(ended).toEqual([['completed', 8]]);
});

test('pool called - what a thread gives is checked, and a call that fails at once fails its event', async () => {
  const { bus, pool, handler } = poolBus();
  bus.on('Go', handler);
  const text = new BaseEvent({ of: 5 }, { event_type: 'Go', event_result_type: z.string() });
  expect((await rejection(bus.dispatch(text).eventResult())).name).toBe('ResultValidationError');
  expect(await bus.dispatch(go(5)).eventResult()).toBe(10);
  await pool.stop();
  expect((await rejection(bus.dispatch(go(6)).eventResult())).name).toBe('BusStoppedError');
  expect(pool.stats()).toMatchObject({ completed: 2, failed: 1, running: 0, waiting: 0 });
});
