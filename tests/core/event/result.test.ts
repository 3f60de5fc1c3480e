import {
  BaseEvent,
  EventBus,
  type EventResult,
  isNoResultError,
  isResultConflictError,
  isTimeoutError,
} from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, rejection, stateOf, ticks } from '../../helpers/gate.ts';

const Ask = BaseEvent.extend('Ask', {});

/** A completed event whose handlers gave these values; what is an Error was thrown. */
async function answered(...values: unknown[]): Promise<BaseEvent> {
  await using bus = new EventBus();
  for (const value of values) {
    bus.on(Ask, () => {
      if (value instanceof Error) throw value;
      return value;
    });
  }
  const event = await bus.dispatch(new Ask());
  return event;
}

test.each([{ value: 0 }, { value: '' }, { value: false }, { value: [] }, { value: {} }])(
  'result - the falsy or empty $value counts',
  async ({ value }) => {
    expect(await (await answered(null, undefined, value, 'later')).eventResult()).toEqual(value);
  },
);

test('result - eventResult is the first that counts, in the order of handlers', async () => {
  expect(await (await answered(null, 'a', 'b')).eventResult()).toBe('a');
});

test('result - eventResultsList is all that count, in the order of handlers', async () => {
  expect(await (await answered(1, null, 2, undefined, 3)).eventResultsList()).toEqual([1, 2, 3]);
});

test('result - by handler id: two of one name are two', async () => {
  await using bus = new EventBus();
  const make = (value: number) => {
    const handle = (): number => value;
    return handle;
  };
  bus.on(Ask, make(1));
  bus.on(Ask, make(2));
  const event = await bus.dispatch(new Ask());
  const ids = [...event.event_results.keys()];
  expect(await event.eventResultsByHandlerId()).toEqual({ [ids[0] ?? '']: 1, [ids[1] ?? '']: 2 });
  const filtered = await event.eventResultsFiltered();
  expect([...filtered.keys()]).toEqual(ids);
  expect([...filtered.values()]).toEqual([...event.event_results.values()]);
  expect(await event.eventResultsByHandlerName()).toEqual({ handle: 2 });
});

test('result - a handler called __proto__ does no harm', async () => {
  await using bus = new EventBus();
  const handler = { ['__proto__']: () => 'x' };
  Object.defineProperty(handler['__proto__'], 'name', { value: '__proto__' });
  bus.on(Ask, handler['__proto__']);
  const byName = await bus.dispatch(new Ask()).eventResultsByHandlerName();
  expect(Object.keys(byName)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(byName)).toBe(Object.prototype);
});

test('result - include gets the EventResult and replaces the default choice', async () => {
  const event = await answered('a', null, 'long enough');
  const seen: EventResult[] = [];
  const value = await event.eventResult({
    include: (result) => {
      seen.push(result);
      return String(result.result).length > 3;
    },
  });
  expect(seen).toEqual([...event.event_results.values()]);
  expect(value).toBeNull();
  expect(await event.eventResultsList({ include: () => true })).toEqual(['a', null, 'long enough']);
});

test('result - a forwarded event is no result by default', async () => {
  await using main = new EventBus();
  await using other = new EventBus();
  main.on(Ask, other.dispatch);
  other.on(Ask, () => 'from other');
  expect(await main.dispatch(new Ask()).eventResultsList()).toEqual(['from other']);
});

test('result - the error of the first failed handler is thrown, the very object, before include is asked', async () => {
  const [first, second] = [new TypeError('first'), new Error('second')];
  const event = await answered('fine', first, second);
  for (const helper of [
    event.eventResult(),
    event.eventResultsList(),
    event.eventResultsFiltered(),
    event.eventResultsByHandlerId(),
    event.eventResultsByHandlerName(),
    event.eventResultsFlatList(),
    event.eventResultsFlatDict(),
    event.eventResultsList({ include: ({ status }) => status === 'completed' }),
    event.eventResult({ include: () => false, raiseIfNone: false }),
  ]) {
    expect(await rejection(helper)).toBe(first);
  }
});

test('result - with raiseIfAny false only what succeeded is given', async () => {
  const event = await answered('a', new Error('x'), 'b');
  expect(await event.eventResultsList({ raiseIfAny: false })).toEqual(['a', 'b']);
  expect(await event.eventResult({ raiseIfAny: false })).toBe('a');
});

test('result - nothing that counts is an error that says how many handlers ran', async () => {
  const event = await answered(null, undefined);
  const error = await rejection(event.eventResult());
  expect(isNoResultError(error)).toBe(true);
  expect(error.message).toBe(
    `Expected at least one handler to return something other than undefined or null for Ask#${event.event_id.slice(-4)}; 2 handler(s) ran, none returned one that counts. Pass { raiseIfNone: false } if that is fine.`,
  );
  const lonely = await answered();
  expect((await rejection(lonely.eventResultsList())).message).toContain('no handler is registered for it on any bus');
});

test('result - with raiseIfNone false, nothing is null or empty', async () => {
  const event = await answered(null);
  const none = { raiseIfNone: false } as const;
  expect(await event.eventResult(none)).toBeNull();
  expect(await event.eventResultsList(none)).toEqual([]);
  expect((await event.eventResultsFiltered(none)).size).toBe(0);
  expect(await event.eventResultsByHandlerId(none)).toEqual({});
  expect(await event.eventResultsByHandlerName(none)).toEqual({});
  expect(await event.eventResultsFlatList(none)).toEqual([]);
  expect(await event.eventResultsFlatDict()).toEqual({});
});

test('result - include may let nulls and errors through', async () => {
  const event = await answered('a', null, new Error('x'));
  const all = { include: () => true, raiseIfAny: false };
  expect(await event.eventResultsList(all)).toEqual(['a', null, null]);
  expect(await event.eventResult({ include: ({ status }) => status === 'error', raiseIfAny: false })).toBeNull();
  expect(Object.values(await event.eventResultsByHandlerId(all))).toEqual(['a', null, null]);
  expect((await event.eventResultsFiltered(all)).size).toBe(3);
});

test('result - flat dict merges plain objects in order and skips the rest', async () => {
  const event = await answered({ a: 1 }, 'text', [1], null, new Date(), { b: 2, c: 3 });
  expect(await event.eventResultsFlatDict()).toEqual({ a: 1, b: 2, c: 3 });
  const none = await answered('text');
  expect(await none.eventResultsFlatDict()).toEqual({});
  expect(isNoResultError(await rejection(none.eventResultsFlatDict({ raiseIfNone: true })))).toBe(true);
});

test('result - flat dict refuses keys of two handlers, even with equal values, unless the last may win', async () => {
  const event = await answered({ a: 1, same: 1 }, { b: 2, same: 1, a: 3 });
  const error = await rejection(event.eventResultsFlatDict());
  expect(isResultConflictError(error) && error.keys).toEqual(['same', 'a']);
  expect(error.message).toContain('for Ask would overwrite values from previous handlers: same, a.');
  expect(await event.eventResultsFlatDict({ raiseIfConflicts: false })).toEqual({ a: 3, same: 1, b: 2 });
});

test('result - flat list puts arrays together in order and skips the rest', async () => {
  expect(await (await answered([1, [2]], 'text', { a: 1 }, [3])).eventResultsFlatList()).toEqual([1, [2], 3]);
  const none = await answered('text');
  expect(isNoResultError(await rejection(none.eventResultsFlatList()))).toBe(true);
});

test('result - timeout ends the wait while handlers go on', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Ask, async () => {
    await door.opened;
    return 'late';
  });
  const dispatch = bus.dispatch(new Ask());
  const error = await rejection(dispatch.eventResult({ timeout: 0.01 }));
  expect(isTimeoutError(error) && error.timeout).toBe(0.01);
  expect(error.message).toBe(
    `Ask#${dispatch.event.event_id.slice(-4)} did not complete within 0.01 s (status: started).`,
  );
  door.open();
  expect(await dispatch.eventResult()).toBe('late');
});

test('result - timeout 0 looks once; none and Infinity wait', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Ask, async () => {
    await door.opened;
    return 1;
  });
  const dispatch = bus.dispatch(new Ask());
  expect(isTimeoutError(await rejection(dispatch.eventResult({ timeout: 0 })))).toBe(true);
  const waits = [undefined, null, Infinity, 1e10].map((timeout) => dispatch.eventResult({ timeout }));
  expect(await Promise.all(waits.map(stateOf))).toEqual(['pending', 'pending', 'pending', 'pending']);
  door.open();
  expect(await Promise.all(waits)).toEqual([1, 1, 1, 1]);
  expect(await dispatch.eventResult({ timeout: 0 })).toBe(1);
});

test('result - a signal ends the wait with its reason', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Ask, () => door.opened);
  const dispatch = bus.dispatch(new Ask());
  const controller = new AbortController();
  const wait = dispatch.eventResult({ signal: controller.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await rejection(wait)).toBe(reason);
  expect(await rejection(dispatch.eventResult({ signal: controller.signal }))).toBe(reason);
  door.open();
});

test.each([
  [{ timeout: -1 }, 'Expected timeout (seconds) to be 0 (look once) or a number of seconds above it; got -1.'],
  [{ timeout: Number.NaN }, 'a number of seconds above it; got NaN.'],
  [{ timeout: '5' }, 'Expected timeout (seconds) to be a number or null; got the string "5".'],
  [{ include: 5 }, 'Expected include to be a function; got 5 (number).'],
  [{ raiseIfAny: 'no' }, 'Expected raiseIfAny to be true or false; got the string "no".'],
  [{ raiseIfNone: 0 }, 'Expected raiseIfNone to be true or false; got 0 (number).'],
  [{ signal: 1 }, 'Expected signal to be an AbortSignal; got 1 (number).'],
  [{ raise_if_any: false }, "A result helper has no option 'raise_if_any'. It has: timeout, signal, include"],
  [null, 'Expected the options of a result helper to be an object; got null.'],
])('result - the options %o are refused', async (options, text) => {
  const event = await answered(1);
  expect((await rejection(event.eventResult(options as never))).message).toContain(text);
});

test('result - helpers of a Dispatch wait for its event', async () => {
  await using bus = new EventBus();
  bus.on(Ask, async () => {
    await ticks();
    return [1];
  });
  expect(await bus.dispatch(new Ask()).eventResult()).toEqual([1]);
  expect(await bus.dispatch(new Ask()).eventResultsFlatList()).toEqual([1]);
});

test('result - an include that throws rejects the helper and nothing else', async () => {
  const event = await answered(1);
  const boom = new Error('boom');
  const include = (): boolean => {
    throw boom;
  };
  expect(await rejection(event.eventResultsList({ include }))).toBe(boom);
  expect(await event.eventResult()).toBe(1);
});

test('result - awaiting an EventResult gives the value or throws the very error', async () => {
  await using bus = new EventBus({ name: 'Awaited' });
  const door = gate();
  const boom = new Error('boom');
  bus.on(Ask, async () => {
    await door.opened;
    return 'value';
  });
  bus.on(Ask, () => {
    throw boom;
  });
  const dispatch = bus.dispatch(new Ask());
  await ticks();
  const [first, second] = [...dispatch.event.event_results.values()];
  const waits = [Promise.resolve(first), Promise.resolve(second)] as const;
  void waits[1].catch(() => undefined);
  door.open();
  expect(await waits[0]).toBe('value');
  expect(await rejection(waits[1])).toBe(boom);
  expect(await first).toBe('value');
});

test('result - fields are named as in bubus', async () => {
  await using bus = new EventBus({ name: 'Fields' });
  function handle(): string {
    return 'x';
  }
  bus.on(Ask, handle);
  const event = await bus.dispatch(new Ask({}, { event_timeout: 7 }));
  const [result] = event.event_results.values();
  expect(result).toMatchObject({
    handler_name: 'handle',
    eventbus_id: bus.id,
    eventbus_name: 'Fields',
    status: 'completed',
    result: 'x',
    error: null,
    timeout: 7,
    event_children: [],
  });
  expect(result?.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(event.event_results.get(result?.handler_id ?? '')).toBe(result);
  expect(String(result)).toBe('Fields.handle() -> x (completed)');
});

test('result - as JSON has the fields of bubus, with ids for events', async () => {
  await using bus = new EventBus({ name: 'Json' });
  const Child = BaseEvent.extend('JsonChild', {});
  const Parent = BaseEvent.extend('JsonParent', {});
  bus.on(Parent, async function parent() {
    await bus.dispatch(new Child());
    return { sum: 3 };
  });
  bus.on(Parent, function failing() {
    throw new RangeError('too big');
  });
  const event = await bus.dispatch(new Parent());
  const [done, failed] = JSON.parse(JSON.stringify([...event.event_results.values()])) as Record<string, unknown>[];
  const [first] = event.event_results.values();
  expect(done).toEqual({
    id: first?.id,
    status: 'completed',
    event_id: event.event_id,
    handler_id: first?.handler_id,
    handler_name: 'parent',
    timeout: 60,
    eventbus_id: bus.id,
    eventbus_name: 'Json',
    started_at: first?.started_at,
    completed_at: first?.completed_at,
    thread_id: first?.thread_id,
    pid: process.pid,
    result: { sum: 3 },
    error: null,
    event_children: event.event_children.map(({ event_id }) => event_id),
  });
  expect(done?.['event_children']).toHaveLength(1);
  expect(failed).toMatchObject({ status: 'error', result: null, error: 'RangeError: too big' });
});
