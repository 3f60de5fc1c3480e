import { BaseEvent, type EventBus, type EventResult, type ResultOf } from '@threadbus/core';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';

class Add extends BaseEvent.extend('Add', { a: z.number() }, { result: z.number() }) {}
class List extends BaseEvent.extend('List', {}, { result: z.array(z.string()) }) {}
class Free extends BaseEvent.extend('Free', {}) {}
class Either extends BaseEvent.extend('Either', {}, { result: z.union([z.string(), z.number()]) }) {}
class Narrow extends Either.extend('Narrow', {}, { result: z.string() }) {}
declare const bus: EventBus;
const add = bus.dispatch(new Add({ a: 1 }));

test('result - eventResult has the result type, with null only where none is allowed', () => {
  expectTypeOf(add.eventResult()).resolves.toEqualTypeOf<number>();
  expectTypeOf(add.event.eventResult({ timeout: 5 })).resolves.toEqualTypeOf<number>();
  expectTypeOf(add.eventResult({ raiseIfNone: false })).resolves.toEqualTypeOf<number | null>();
  // @ts-expect-error another type
  const text: Promise<string> = add.eventResult();
  // @ts-expect-error may be null
  const sure: Promise<number> = add.eventResult({ raiseIfNone: false });
  void [text, sure];
});

test('result - lists, maps and objects of results', () => {
  expectTypeOf(add.eventResultsList()).resolves.toEqualTypeOf<number[]>();
  expectTypeOf(add.eventResultsByHandlerId()).resolves.toEqualTypeOf<Record<string, number>>();
  expectTypeOf(add.eventResultsByHandlerName()).resolves.toEqualTypeOf<Record<string, number>>();
  expectTypeOf(bus.dispatch(new List()).eventResultsFlatList()).resolves.toEqualTypeOf<string[]>();
  expectTypeOf(add.eventResultsFlatDict({ raiseIfConflicts: false })).resolves.toEqualTypeOf<Record<string, unknown>>();
  // @ts-expect-error a list of numbers
  const texts: Promise<string[]> = add.eventResultsList();
  // @ts-expect-error only flat dicts have conflicts
  void add.eventResultsList({ raiseIfConflicts: false });
  // @ts-expect-error no such option
  void add.eventResultsList({ raise: false });
  void texts;
});

test('result - without a result type it is unknown', () => {
  expectTypeOf(bus.dispatch(new Free()).eventResult()).resolves.toBeUnknown();
  expectTypeOf<ResultOf<Free>>().toBeUnknown();
  expectTypeOf(bus.dispatch(new Free()).eventResultsFlatList()).resolves.toEqualTypeOf<unknown[]>();
  // @ts-expect-error must be checked first
  const text: Promise<string> = bus.dispatch(new Free()).eventResult();
  void text;
});

test('result - a subclass inherits the type or narrows it', () => {
  class Same extends Either.extend('Same', { more: z.string() }) {}
  expectTypeOf<ResultOf<Same>>().toEqualTypeOf<string | number>();
  expectTypeOf<ResultOf<Narrow>>().toEqualTypeOf<string>();
  bus.on(Narrow, () => 'text');
  bus.on(Same, () => 5);
  // @ts-expect-error narrowed to string
  bus.on(Narrow, () => 5);
  // @ts-expect-error inherited
  bus.on(Same, () => true);
});

test('result - include gets the typed EventResult', () => {
  void add.eventResult({
    include: (result) => {
      expectTypeOf(result.result).toEqualTypeOf<number | null>();
      expectTypeOf(result.handler_name).toBeString();
      return result.status === 'completed';
    },
  });
  // @ts-expect-error gives true or false
  void add.eventResult({ include: () => 'yes' });
  // @ts-expect-error no such field of a result
  void add.eventResult({ include: ({ value }) => value > 1 });
});

test('result - awaiting a result gives its value', () => {
  const results = add.event.event_results;
  expectTypeOf(results).toExtend<ReadonlyMap<string, EventResult<number>>>();
  const [result] = results.values();
  if (result !== undefined) {
    expectTypeOf(result.then((value) => value)).resolves.toEqualTypeOf<number>();
    expectTypeOf(result.error).toBeUnknown();
    // @ts-expect-error read-only
    result.status = 'completed';
    // @ts-expect-error no such status
    void (result.status === 'failed');
  }
  // @ts-expect-error read-only
  expectTypeOf(results.set).toBeNever();
});

test('result - each helper refuses the wrong use of what it gives', () => {
  // @ts-expect-error values are numbers
  const byId: Promise<Record<string, string>> = add.eventResultsByHandlerId();
  // @ts-expect-error values are numbers
  const byName: Promise<Record<string, string>> = add.eventResultsByHandlerName();
  // @ts-expect-error a Map of EventResults, not of values
  const filtered: Promise<Map<string, number>> = add.eventResultsFiltered();
  // @ts-expect-error strings, not numbers
  const flat: Promise<number[]> = bus.dispatch(new List()).eventResultsFlatList();
  // @ts-expect-error values of a merged object are unknown
  const dict: Promise<Record<string, number>> = add.eventResultsFlatDict();
  // @ts-expect-error seconds are a number
  void add.eventResult({ timeout: '5' });
  // @ts-expect-error a signal, not its controller
  void add.eventResult({ signal: new AbortController() });
  void [byId, byName, filtered, flat, dict];
});
