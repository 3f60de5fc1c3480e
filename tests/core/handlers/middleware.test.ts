import { AsyncLocalStorage } from 'node:async_hooks';
import { BaseEvent, type Middleware } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { nextTurn, rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Ask = BaseEvent.extend('Ask', {}, { result: z.string() });

test('use - wraps every handler, the first outermost; what it returns is the result', async () => {
  const bus = quietBus();
  const order: string[] = [];
  const wrap =
    (name: string): Middleware =>
    async (event, _context, next) => {
      order.push(`${name} ${event.event_type}`);
      const value = await next();
      order.push(`${name} got ${String(value)}`);
      return `${name}(${String(value)})`;
    };
  bus.use(wrap('a'));
  const end = bus.use(wrap('b'));
  bus.on(Ask, () => 'answer');
  expect(await bus.dispatch(new Ask({})).eventResult()).toBe('a(b(answer))');
  expect(order).toEqual(['a Ask', 'b Ask', 'b got answer', 'a got b(answer)']);
  end();
  expect(await bus.dispatch(new Ask({})).eventResult()).toBe('a(answer)');
});

test('use - its result is checked, its error is the handler’s, its time too', async () => {
  const bus = quietBus();
  bus.on(Ask, () => 'answer');
  let how: 'wrong' | 'throw' | 'hang' = 'wrong';
  using _use = bus.use(async (_event, _context, next) => {
    await next();
    if (how === 'throw') throw new RangeError('mine');
    return how === 'wrong' ? 7 : new Promise(() => undefined);
  });
  expect((await rejection(bus.dispatch(new Ask({})).eventResult())).name).toBe('ResultValidationError');
  how = 'throw';
  expect((await rejection(bus.dispatch(new Ask({})).eventResult())).message).toBe('mine');
  how = 'hang';
  const error = await rejection(bus.dispatch(new Ask({}, { event_timeout: 0.02 })).eventResult());
  expect(error.name).toBe('HandlerTimeoutError');
});

test('use - sees the handler’s error and may answer in its place; without next() the handler isn’t called', async () => {
  const bus = quietBus();
  let calls = 0;
  bus.on(Ask, () => {
    calls += 1;
    throw new Error('fails');
  });
  using _first = bus.use((_event, _context, next) => next().catch(() => 'instead'));
  expect(await bus.dispatch(new Ask({})).eventResult()).toBe('instead');
  using _second = bus.use(() => 'cached');
  expect(await bus.dispatch(new Ask({})).eventResult()).toBe('cached');
  expect(calls).toBe(1);
});

test('use - next() works once, and leaves forwards alone', async () => {
  const [bus, other] = [quietBus(), quietBus()];
  const seen: string[] = [];
  bus.use(async (event, _context, next) => {
    seen.push(event.event_type);
    const first = await next();
    expect((await rejection(next())).message).toContain('at most once');
    return first;
  });
  bus.on('*', other.dispatch);
  bus.on(Ask, (event) => other.dispatch(event));
  other.on(Ask, () => 'there');
  expect(await bus.dispatch(new Ask({})).eventResult()).toBe('there');
  expect(seen).toEqual(['Ask']);
});

test('use - an async context that it sets around next() is the handler’s; an await in the handler jumps the queue', async () => {
  const bus = quietBus();
  const store = new AsyncLocalStorage<string>();
  bus.use((event, _context, next) => store.run(event.event_id, next));
  const Child = BaseEvent.extend('Child', {});
  bus.on(Child, () => store.getStore() ?? null);
  bus.on(Ask, async (event) => {
    const child = await bus.dispatch(new Child({}));
    const value = await child.eventResult();
    return String(value === child.event_id && store.getStore() === event.event_id);
  });
  expect(await bus.dispatch(new Ask({})).eventResult()).toBe('true');
});

test('use - wraps pool handlers, from this side', async () => {
  const pool = new HandlerPool({ maxThreads: 1 });
  onTestFinished(() => pool.stop());
  const bus = quietBus();
  bus.use(async (_event, _context, next) => `wrapped ${String(await next())}`);
  bus.on('Step', pool.handler(fixtureUrl('worker/pool-tasks')));
  expect(await bus.dispatch(new BaseEvent({ what: 'echo' }, { event_type: 'Step' })).eventResult()).toBe(
    'wrapped echo',
  );
});

test('use - refuses what is no function', () => {
  expect(() => quietBus().use('log' as never)).toThrow(TypeError);
});

test('use - a handler that was ended while a middleware waited is not called any more', async () => {
  const bus = quietBus();
  let calls = 0;
  const refusals: unknown[] = [];
  bus.on(Ask, () => {
    calls += 1;
    return 'answer';
  });
  using _use = bus.use(async (_event, { signal }, next) => {
    await once(signal, 'abort');
    return next().catch((error: unknown) => refusals.push(error));
  });
  const controller = new AbortController();
  const cancelled = bus.dispatch(new Ask({}), { signal: controller.signal });
  const late = bus.dispatch(new Ask({}, { event_timeout: 0.01 }));
  await nextTurn();
  controller.abort(new Error('enough'));
  const errors = [await rejection(cancelled.eventResult()), await rejection(late.eventResult())];
  await nextTurn();
  expect(errors.map(({ name }) => name)).toEqual(['HandlerAbortedError', 'HandlerTimeoutError']);
  expect(refusals).toEqual(errors);
  expect(calls).toBe(0);
});
