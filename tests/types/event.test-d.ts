import { BaseEvent, type EventStatus } from '@threadbus/core';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';

class Login extends BaseEvent.extend('Login', { name: z.string(), age: z.number().optional() }) {}
const Empty = BaseEvent.extend('Empty', {});
const Optional = BaseEvent.extend('Optional', { note: z.string().optional() });
const Coerced = BaseEvent.extend('Coerced', { n: z.string().transform(Number), loud: z.boolean().default(true) });
const Loose = BaseEvent.extend('Loose', z.looseObject({ id: z.string() }));
const Exact = BaseEvent.extend('Exact', z.strictObject({ id: z.string() }));

test('event - the payload is typed where it goes in', () => {
  expectTypeOf(new Login({ name: 'a' })).toExtend<BaseEvent>();
  expectTypeOf(new Login({ name: 'a', age: 1 })).toExtend<Login>();
  // @ts-expect-error a field is missing
  void new Login({});
  // @ts-expect-error a field has another type
  void new Login({ name: 5 });
  // @ts-expect-error a payload with required fields can't be left out
  void new Login();
  // @ts-expect-error a field that the class doesn't know
  void new Login({ name: 'a', other: 1 });
});

test('event - the payload is typed where it is read', () => {
  const event = new Login({ name: 'a' });
  expectTypeOf(event.name).toEqualTypeOf<string>();
  expectTypeOf(event.age).toEqualTypeOf<number | undefined>();
  // @ts-expect-error no such field
  void event.nope;
  // @ts-expect-error another type
  const wrong: number = event.name;
  void wrong;
});

test('event - a payload without required fields may be left out', () => {
  expectTypeOf(new Empty()).toExtend<BaseEvent>();
  expectTypeOf(new Empty({})).toExtend<BaseEvent>();
  expectTypeOf(new Optional()).toExtend<BaseEvent>();
  expectTypeOf(new Optional({ note: 'x' }).note).toEqualTypeOf<string | undefined>();
  // @ts-expect-error no such field
  void new Empty({ other: 1 });
  // @ts-expect-error an empty event has no other fields
  void new Empty().other;
  // @ts-expect-error another type
  void new Optional({ note: 5 });
});

test('event - transforms and defaults: one type goes in, another comes out', () => {
  const event = new Coerced({ n: '5' });
  expectTypeOf(event.n).toEqualTypeOf<number>();
  expectTypeOf(event.loud).toEqualTypeOf<boolean>();
  // @ts-expect-error goes in as a string
  void new Coerced({ n: 5 });
  // @ts-expect-error comes out as a number
  const text: string = event.n;
  void text;
});

test('event - z.object() as shape, loose and strict', () => {
  expectTypeOf(new Loose({ id: 'a', other: 1 }).id).toEqualTypeOf<string>();
  expectTypeOf(new Exact({ id: 'a' }).id).toEqualTypeOf<string>();
  // @ts-expect-error strict
  void new Exact({ id: 'a', other: 1 });
  // @ts-expect-error no shape
  void BaseEvent.extend('Wrong', z.string());
  // @ts-expect-error no zod types
  void BaseEvent.extend('Wrong', { a: String });
});

test('event - extend of extend: fields add up', () => {
  const Admin = Login.extend('Admin', { level: z.number() });
  class Root extends Admin.extend('Root', { key: z.string() }) {}
  const event = new Root({ name: 'a', level: 1, key: 'k' });
  expectTypeOf(event.name).toEqualTypeOf<string>();
  expectTypeOf(event.level).toEqualTypeOf<number>();
  expectTypeOf(event.key).toEqualTypeOf<string>();
  expectTypeOf(Empty.extend('Filled', { a: z.string() })).instance.toHaveProperty('a');
  // @ts-expect-error a field of the base is missing
  void new Root({ level: 1, key: 'k' });
  // @ts-expect-error a field of the middle is missing
  void new Root({ name: 'a', key: 'k' });
  // @ts-expect-error a field of the base has another type
  void new Admin({ name: 1, level: 1 });
});

test('event - framework fields are read-only and typed', () => {
  const event = new Empty({}, { event_timeout: null, event_parent_id: null });
  expectTypeOf(event.event_id).toEqualTypeOf<string>();
  expectTypeOf(event.event_status).toEqualTypeOf<EventStatus>();
  expectTypeOf(event.event_path).toEqualTypeOf<readonly string[]>();
  expectTypeOf(event.event_children).toEqualTypeOf<readonly BaseEvent[]>();
  expectTypeOf(Login.event_type).toEqualTypeOf<'Login'>();
  // @ts-expect-error read-only
  event.event_id = 'x';
  // @ts-expect-error no such field of the framework
  void new Empty({}, { event_timout: 5 });
  // @ts-expect-error another type
  void new Empty({}, { event_timeout: '5' });
  // @ts-expect-error an event is not thenable
  void event.then;
});

test('event - options of extend', () => {
  expectTypeOf(
    BaseEvent.extend('Full', {}, { result: z.string(), timeout: 5, version: '1.0.0', idempotent: true }),
  ).toBeObject();
  // @ts-expect-error no such option
  void BaseEvent.extend('Wrong', {}, { timout: 5 });
  // @ts-expect-error no zod type
  void BaseEvent.extend('Wrong', {}, { result: String });
  // @ts-expect-error another type
  void BaseEvent.extend('Wrong', {}, { timeout: '5' });
});

test('event - copies and restored events have their class', () => {
  expectTypeOf(Login.fromJSON('{}')).toEqualTypeOf<Login>();
  expectTypeOf(new Login({ name: 'a' }).eventReset()).toEqualTypeOf<Login>();
  expectTypeOf(new Login({ name: 'a' }).eventCompleted()).resolves.toEqualTypeOf<Login>();
  expectTypeOf(BaseEvent.fromJSON({})).toEqualTypeOf<BaseEvent>();
  // @ts-expect-error a plain event has no such field
  void BaseEvent.fromJSON({}).name;
  // @ts-expect-error restored as what it is
  const wrong: InstanceType<typeof Exact> = Login.fromJSON('{}');
  void wrong;
});
