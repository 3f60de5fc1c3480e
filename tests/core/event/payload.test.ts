import { BaseEvent, type EventValidationError, isEventValidationError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { thrown } from '../../helpers/thrown.ts';

const Order = BaseEvent.extend('Order', {
  id: z.string(),
  items: z.array(z.object({ price: z.number() })),
  note: z.string().optional(),
});

function refusal(make: () => unknown): EventValidationError {
  const error = thrown(make);
  if (isEventValidationError(error)) return error;
  throw error;
}

test('payload - a missing field is refused, and the message names event type, field and problem', () => {
  const error = refusal(() => new Order({ items: [] } as never));
  expect(error.message).toMatch(/^Order: the payload is not valid: id: .*expected string/);
  expect(error.name).toBe('EventValidationError');
  expect(error.code).toBe('ERR_EVENT_VALIDATION');
  expect(error.eventType).toBe('Order');
  expect(error.cause).toBeInstanceOf(z.ZodError);
  expect(error.issues).toEqual([{ path: 'id', message: expect.stringContaining('expected string') as string }]);
});

test('payload - a wrong type deep inside is refused with its path as written in code', () => {
  const error = refusal(() => new Order({ id: 'a', items: [{ price: 1 }, { price: '2' as never }] }));
  expect(error.message).toContain('items[1].price: ');
  expect(error.issues.map(({ path }) => path)).toEqual(['items[1].price']);
});

test('payload - many problems are named up to five, the rest is counted', () => {
  const items = Array.from({ length: 8 }, () => ({ price: 'x' as never }));
  const error = refusal(() => new Order({ id: 'a', items }));
  expect(error.message).toContain('items[4].price');
  expect(error.message).not.toContain('items[5].price');
  expect(error.message).toContain('and 3 more');
  expect(error.issues).toHaveLength(8);
});

test.each([
  [null, 'got null'],
  [[], 'got an array'],
  ['text', 'got the string "text"'],
  [5, 'got 5 (number)'],
])('payload - %j is no payload', (payload, text) => {
  const { message } = refusal(() => new Order(payload as never));
  expect(message).toBe(`Order: expected the payload to be an object; ${text}.`);
});

test('payload - nothing is coerced unless the schema says so', () => {
  const Strict = BaseEvent.extend('Strict', { n: z.number() });
  const Lax = BaseEvent.extend('Lax', { n: z.coerce.number() });
  expect(() => new Strict({ n: '5' as never })).toThrow(/^Strict: .*n: /);
  expect(new Lax({ n: '5' }).n).toBe(5);
});

test('payload - transforms and defaults of the schema apply', () => {
  const Greeting = BaseEvent.extend('Greeting', {
    name: z.string().transform((name) => name.length),
    loud: z.boolean().default(true),
  });
  const event = new Greeting({ name: 'alice' });
  expect(event.name).toBe(5);
  expect(event.loud).toBe(true);
});

test('payload - unknown fields are kept, readable and part of the JSON', () => {
  const event = new Order({ id: 'a', items: [], coupon: 'X' } as { id: string; items: [] });
  expect((event as unknown as { coupon: string }).coupon).toBe('X');
  expect(event.toJSON()['coupon']).toBe('X');
});

test('payload - a strict object refuses unknown fields', () => {
  const Exact = BaseEvent.extend('Exact', z.strictObject({ id: z.string() }));
  expect(new Exact({ id: 'a' }).id).toBe('a');
  expect(() => new Exact({ id: 'a', other: 1 } as never)).toThrow(/^Exact: .*[Uu]nrecognized key/);
});

test("payload - the caller's objects are never changed", () => {
  const payload = Object.freeze({ id: 'a', items: Object.freeze([Object.freeze({ price: 1 })]) as never });
  const fields = Object.freeze({ event_timeout: 5, event_path: Object.freeze(['A']) as string[] });
  const event = new Order(payload, fields);
  expect(Object.keys(payload)).toEqual(['id', 'items']);
  expect(event.event_path).toEqual(['A']);
  const document = Object.freeze({ ...event.toJSON() });
  expect(Order.fromJSON(document).event_id).toBe(event.event_id);
});

test.each(['event_weird', 'event_type', 'then', 'toJSON', 'constructor', 'eventResult', 'eventReset'])(
  'payload - a field called %s is refused when the class is defined',
  (name) => {
    const error = refusal(() => BaseEvent.extend('Weird', { [name]: z.string() }));
    expect(error.message).toContain(`Weird: a payload field can't be called '${name}'`);
    expect(error.message).toContain('Rename the field');
  },
);

test('payload - a field that an event uses itself is refused in a payload as well', () => {
  const error = refusal(() => new Order({ id: 'a', items: [], event_timeout: 5 } as never));
  expect(error.message).toBe(
    "Order: a payload can't have a field called 'event_timeout', events use that name themselves. Framework fields go into the constructor's second argument: new Order(payload, { event_timeout: … }).",
  );
  expect(refusal(() => new BaseEvent({ toJSON: 1 })).message).not.toContain('second argument');
  const hidden = JSON.parse('{"id":"a","items":[],"__proto__":{"polluted":true}}') as never;
  expect(refusal(() => new Order(hidden)).message).toContain("can't have a field called '__proto__'");
});

test('payload - every other name is fine', () => {
  const Odd = BaseEvent.extend('Odd', { type: z.string(), on: z.number(), events: z.number(), valueOf: z.number() });
  const event = new Odd({ type: 'a', on: 1, events: 2, valueOf: 3 });
  expect([event.type, event.on, event.events, event.valueOf]).toEqual(['a', 1, 2, 3]);
});

test('payload - a class can be extended again: fields add up, options are inherited', () => {
  const Base = BaseEvent.extend('Base', { a: z.string() }, { result: z.string(), timeout: 3, version: '2.0.0' });
  const More = Base.extend('More', { b: z.number() });
  const event = new More({ a: 'x', b: 1 });
  expect([event.a, event.b]).toEqual(['x', 1]);
  expect(event).toBeInstanceOf(Base);
  expect(event.event_type).toBe('More');
  expect(event.event_timeout).toBe(3);
  expect(event.event_result_type).toBe(new Base({ a: '' }).event_result_type);
  expect(() => new More({ b: 1 } as never)).toThrow(/^More: .*a: /);
  expect(event.event_schema).toBe('More@1.0.0');
});

test('payload - a schema that runs asynchronously is refused with what to do', () => {
  const Async = BaseEvent.extend('Async', { a: z.string().refine(async () => true) });
  expect(refusal(() => new Async({ a: 'x' })).message).toMatch(/^Async: the payload's schema could not be run: /);
});

test.each([
  [undefined, "the payload's shape to be an object of zod types or a z.object(); got undefined"],
  [z.string(), "the payload's shape to be an object of zod types or a z.object(); got an object (ZodString)"],
  [[], "the payload's shape to be an object of zod types or a z.object(); got an array"],
  [{ a: String }, 'a to be a zod type, such as z.string(); got the function String'],
])('payload - %o is no shape', (shape, text) => {
  expect(refusal(() => BaseEvent.extend('Wrong', shape as never)).message).toBe(`Wrong: expected ${text}.`);
});

test('payload - options of extend are checked', () => {
  const extend = (options: object) => () => BaseEvent.extend('Wrong', {}, options);
  expect(refusal(extend({ result: String })).message).toBe(
    'Wrong: expected result to be a zod type, such as z.string(); got the function String.',
  );
  expect(refusal(extend({ timout: 3 })).message).toBe(
    "Wrong: extend has no option 'timout'. It has: result, timeout, version, idempotent, completion. Did you mean 'timeout'?",
  );
  expect(refusal(extend({ version: 2 })).message).toContain('expected version to be a string');
  expect(refusal(extend({ idempotent: 'yes' })).message).toContain('expected idempotent to be true or false');
  expect(refusal(() => BaseEvent.extend('Wrong', {}, null as never)).message).toContain(
    'expected the options of extend to be an object, such as { timeout: 30 }; got null',
  );
});

test('payload - nested objects that try to pollute prototypes stay harmless', () => {
  const Any = BaseEvent.extend('Any', { data: z.any() });
  const data: unknown = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
  const event = new Any({ data });
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  expect(event.data).toBe(data);
});
