import { BaseEvent, EventBus, isResultValidationError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';

/** What a handler's value becomes on an event that demands `type`. */
async function outcome(type: z.ZodType | undefined, value: unknown): Promise<unknown> {
  await using bus = new EventBus({ name: 'Typed' });
  const Ask = BaseEvent.extend('Ask', {}, type === undefined ? {} : { result: type });
  bus.on('Ask', () => value);
  const event = await bus.dispatch(new Ask());
  expect(event.event_status).toBe('completed');
  const [result] = event.event_results.values();
  return result?.status === 'error' ? result.error : result?.result;
}

test('result-type - without one any value is stored as it is', async () => {
  const value = { any: Symbol('thing') };
  expect(await outcome(undefined, value)).toBe(value);
  expect(new (BaseEvent.extend('Free', {}))().event_result_type).toBeNull();
});

test('result-type - a value that matches is stored', async () => {
  expect(await outcome(z.string(), 'text')).toBe('text');
  expect(await outcome(z.instanceof(Uint8Array), new Uint8Array([1]))).toEqual(new Uint8Array([1]));
});

test('result-type - a wrong value makes that one result an error, the others and the event go on', async () => {
  await using bus = new EventBus({ name: 'Typed' });
  const Ask = BaseEvent.extend('Ask', {}, { result: z.string() });
  function wrong(): never {
    return 42 as never;
  }
  bus.on(Ask, wrong);
  bus.on(Ask, () => 'right');
  const event = await bus.dispatch(new Ask());
  const [bad, good] = [...event.event_results.values()];
  expect([bad?.status, bad?.result, good?.status]).toEqual(['error', null, 'completed']);
  expect(isResultValidationError(bad?.error)).toBe(true);
  const error = bad?.error as Error;
  expect(error.message).toBe(
    'The result of Typed.wrong for Ask did not match expected event_result_type (string): Invalid input: expected string, received number. Return a value of that type, null or undefined.',
  );
  expect(error.cause).toBeInstanceOf(z.ZodError);
  expect(await event.eventResult({ raiseIfAny: false })).toBe('right');
});

test.each([null, undefined])('result-type - %s always passes', async (value) => {
  expect(await outcome(z.string(), value)).toBeNull();
});

test.each([
  [z.number(), '123'],
  [z.number().int(), 1.5],
  [z.boolean(), 1],
  [z.string(), 1],
  [z.instanceof(Uint8Array), 'abc'],
])('result-type - nothing is coerced (%#)', async (type, value) => {
  expect(isResultValidationError(await outcome(type, value))).toBe(true);
});

test('result-type - objects and containers are checked all through, and what the schema gives is stored', async () => {
  const Email = z.object({ from: z.string(), read: z.boolean().default(false) });
  expect(await outcome(z.array(Email), [{ from: 'a' }])).toEqual([{ from: 'a', read: false }]);
  const error = await outcome(z.array(Email), [{ from: 'a' }, { from: 5 }]);
  expect((error as Error).message).toContain('(array): [1].from: Invalid input: expected string, received number');
  expect(await outcome(z.record(z.string(), z.number()), { a: 1 })).toEqual({ a: 1 });
  expect(isResultValidationError(await outcome(z.record(z.string(), z.number()), { a: '1' }))).toBe(true);
});

test('result-type - unions, literals and optionals work', async () => {
  const type = z.union([z.literal('on'), z.number(), z.null()]).optional();
  expect(await outcome(type, 'on')).toBe('on');
  expect(await outcome(type, 5)).toBe(5);
  expect(isResultValidationError(await outcome(type, 'off'))).toBe(true);
});

test('result-type - a forwarded event passes unchecked, as does a returned Dispatch', async () => {
  await using main = new EventBus();
  await using other = new EventBus();
  const Ask = BaseEvent.extend('Ask', {}, { result: z.string() });
  main.on(Ask, other.dispatch);
  main.on(Ask, (event) => other.dispatch(event));
  other.on(Ask, () => 'x');
  const event = await main.dispatch(new Ask());
  const results = [...event.event_results.values()];
  expect(results.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
  expect(results[0]?.result).toBe(event);
  expect(results[1]?.result).toBe(event);
});

test('result-type - is inherited, replaced by a subclass, and replaced by one event', async () => {
  const Base = BaseEvent.extend('Base', {}, { result: z.union([z.string(), z.number()]) });
  const Same = Base.extend('Same', {});
  const Narrow = Base.extend('Narrow', {}, { result: z.string() });
  await using bus = new EventBus();
  bus.on('*', () => 5);
  expect(await bus.dispatch(new Same()).eventResult()).toBe(5);
  const narrow = await bus.dispatch(new Narrow());
  expect([...narrow.event_results.values()][0]?.status).toBe('error');
  const free = await bus.dispatch(new Narrow({}, { event_result_type: z.number() }));
  expect([...free.event_results.values()][0]?.status).toBe('completed');
  const none = await bus.dispatch(new Narrow({}, { event_result_type: null }));
  expect([...none.event_results.values()][0]?.status).toBe('completed');
});

test('result-type - a schema that throws or runs asynchronously is that result’s error', async () => {
  const throws = z.string().transform(() => {
    throw new Error('in the schema');
  });
  const error = (await outcome(throws, 'x')) as Error;
  expect(error.message).toContain('did not match expected event_result_type');
  expect(error.message).toContain('in the schema');
  expect(
    isResultValidationError(
      await outcome(
        z.string().refine(async () => true),
        'x',
      ),
    ),
  ).toBe(true);
});
