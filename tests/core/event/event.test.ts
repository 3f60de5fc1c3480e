import { BaseEvent, EventBus, isEventValidationError } from '@threadbus/core';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { thrown } from '../../helpers/thrown.ts';

class UserCreated extends BaseEvent.extend('UserCreated', { name: z.string(), age: z.number() }) {}
const Note = BaseEvent.extend('Note', { text: z.string() });

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function refusal(make: () => unknown): Error {
  const error = thrown(make);
  expect(isEventValidationError(error)).toBe(true);
  return error;
}

test('event - shows each field of its payload and is not dispatched yet', () => {
  const event = new UserCreated({ name: 'alice', age: 7 });
  expect(event.name).toBe('alice');
  expect(event.age).toBe(7);
  expect(event).toBeInstanceOf(UserCreated);
  expect(event).toBeInstanceOf(BaseEvent);
});

test('event - a fresh one is pending and has neither path, results, children nor times', () => {
  const event = new UserCreated({ name: 'alice', age: 7 });
  expect(event.event_status).toBe('pending');
  expect(event.event_path).toEqual([]);
  expect(event.event_results.size).toBe(0);
  expect(event.event_children).toEqual([]);
  expect(event.event_parent_id).toBeNull();
  expect(event.event_started_at).toBeNull();
  expect(event.event_completed_at).toBeNull();
});

test('event - the type is the name given to extend, or the name of a class that extends BaseEvent itself', () => {
  class Ping extends BaseEvent {
    declare readonly n: number;
  }
  expect(UserCreated.event_type).toBe('UserCreated');
  expect(new UserCreated({ name: 'a', age: 1 }).event_type).toBe('UserCreated');
  expect(Ping.event_type).toBe('Ping');
  expect(new Ping({}).event_type).toBe('Ping');
  expect(new Ping({}).event_schema).toBe('Ping@1.0.0');
  expect(new BaseEvent({}).event_type).toBe('BaseEvent');
});

test('event - a class may have another name than its events', async () => {
  class Override extends BaseEvent.extend('Custom', {}) {}
  await using bus = new EventBus();
  const seen: string[] = [];
  bus.on('Custom', () => void seen.push('Custom'));
  bus.on('Override', () => void seen.push('Override'));
  const event = await bus.dispatch(new Override());
  expect(event.event_type).toBe('Custom');
  expect(seen).toEqual(['Custom']);
});

test('event - a plain BaseEvent may choose its type and matches handlers of that type and class', async () => {
  await using bus = new EventBus();
  const seen: string[] = [];
  bus.on('Note', (event) => void seen.push(`string ${String(event['text'])}`));
  bus.on(Note, (event) => void seen.push(`class ${event.text}`));
  await bus.dispatch(new BaseEvent({ text: 'hi' }, { event_type: 'Note' }));
  expect(seen).toEqual(['string hi', 'class hi']);
});

test.each(['1bad', '.p', ':p', '-p', 'a b', '', 'a/b', 'x'.repeat(129), '*', 'user.*'])(
  'event - a type may not be %j',
  (name) => {
    const { message } = refusal(() => BaseEvent.extend(name, {}));
    expect(message).toMatch(/^Expected an event type to be at most 128 letters, digits and .* got the string "/);
    expect(refusal(() => new BaseEvent({}, { event_type: name })).message).toBe(message);
  },
);

test.each(['x'.repeat(64), 'Überweisung', '$Money', 'ping'])('event - a type may be %j', (name) => {
  expect(BaseEvent.extend(name, {}).event_type).toBe(name);
});

test('event - a class with a payload has one type only', () => {
  expect(() => new Note({ text: 'a' }, { event_type: 'Other' })).toThrow(
    'Note: expected event_type to be \'Note\', the type of its class; got the string "Other".',
  );
});

test('event - ids are UUIDv7, unique, and sorted by the time of creation', () => {
  const ids = Array.from({ length: 500 }, () => new Note({ text: '' }).event_id);
  for (const id of ids) expect(id).toMatch(uuid7);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
});

test.each([undefined, '1970-01-01T00:00:00.000Z', '2016-02-29T23:59:59.999Z', '2026-11-22T10:11:12.013Z'])(
  'event - its id holds the time of its creation (%s)',
  (event_created_at) => {
    const event = new Note({ text: '' }, { event_created_at });
    const { event_id, event_created_at: created } = event;
    expect(event_id).toMatch(uuid7);
    expect(new Date(Number.parseInt(event_id.replace('-', '').slice(0, 12), 16)).toISOString()).toBe(created);
    expect(created).toBe(event_created_at ?? created);
  },
);

test.each(['1815-12-10T00:00:00.000Z', '+012345-01-01T00:00:00.000Z'])(
  'event - a time of creation that no UUIDv7 can hold makes a valid id all the same (%s)',
  (event_created_at) => {
    const ids = Array.from({ length: 10 }, () => new Note({ text: '' }, { event_created_at }).event_id);
    for (const id of ids) expect(id).toMatch(uuid7);
    expect(new Set(ids).size).toBe(10);
  },
);

test('event - given ids must be UUIDs and are written in lower case with hyphens', () => {
  const id = '0190A0B0-0000-7000-8000-00000000ABCD';
  const event = new Note({ text: '' }, { event_id: id, event_parent_id: id.replaceAll('-', '') });
  expect(event.event_id).toBe(id.toLowerCase());
  expect(event.event_parent_id).toBe(id.toLowerCase());
  expect(new Note({ text: '' }, { event_parent_id: null }).event_parent_id).toBeNull();
  expect(() => new Note({ text: '' }, { event_id: 'nope' })).toThrow(
    'Note: expected event_id to be a UUID; got the string "nope".',
  );
  expect(() => new Note({ text: '' }, { event_parent_id: '' })).toThrow('expected event_parent_id to be a UUID');
});

test('event - event_created_at is the time of construction, not of dispatch', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-01-31T12:00:00.000Z') });
  try {
    await using bus = new EventBus();
    const event = new Note({ text: '' });
    vi.setSystemTime(Date.parse('2026-01-31T12:00:07.000Z'));
    await bus.dispatch(event);
    expect(event.event_created_at).toBe('2026-01-31T12:00:00.000Z');
    expect(event.event_completed_at).toBe('2026-01-31T12:00:07.000Z');
  } finally {
    vi.useRealTimers();
  }
});

test('event - event_created_at may be given with any time zone and is shown in UTC', () => {
  const at = (event_created_at: string): string => new Note({ text: '' }, { event_created_at }).event_created_at;
  expect(at('2025-07-10T20:39:56.462000+00:00')).toBe('2025-07-10T20:39:56.462Z');
  expect(at('2025-07-10T22:39:56+02:00')).toBe('2025-07-10T20:39:56.000Z');
  for (const wrong of ['yesterday', '2025-07-10T20:39:56', '2025-13-10T20:39:56Z', 'Jul 10 2025 20:39:56 Z', '']) {
    expect(() => at(wrong)).toThrow('Note: expected event_created_at to be an ISO 8601 time with a time zone');
  }
});

test('event - event_timeout is 60 seconds unless class or event say otherwise', () => {
  const Quick = BaseEvent.extend('Quick', {}, { timeout: 2 });
  const QuickChild = Quick.extend('QuickChild', {});
  const Endless = Quick.extend('Endless', {}, { timeout: null });
  expect(new Note({ text: '' }).event_timeout).toBe(60);
  expect(new Quick().event_timeout).toBe(2);
  expect(new QuickChild().event_timeout).toBe(2);
  expect(new Endless().event_timeout).toBeNull();
  expect(new Quick({}, { event_timeout: 0.5 }).event_timeout).toBe(0.5);
  expect(new Quick({}, { event_timeout: null }).event_timeout).toBeNull();
  expect(new Quick({}, { event_timeout: Infinity }).event_timeout).toBeNull();
});

test.each([
  [0, 'above 0, or null for none; got 0'],
  [-1, 'above 0, or null for none; got -1'],
  [Number.NaN, 'above 0, or null for none; got NaN'],
  ['5', 'a number or null; got the string "5"'],
  [true, 'a number or null; got true (boolean)'],
])('event - event_timeout %j is refused', (value, text) => {
  const event_timeout = value as number;
  expect(refusal(() => new Note({ text: '' }, { event_timeout })).message).toContain(text);
  expect(refusal(() => BaseEvent.extend('Wrong', {}, { timeout: event_timeout })).message).toContain(text);
});

test('event - event_schema is the name and version, and stays what it is', async () => {
  const Versioned = BaseEvent.extend('Versioned', {}, { version: '2.1.0' });
  await using bus = new EventBus();
  expect(new Note({ text: '' }).event_schema).toBe('Note@1.0.0');
  const event = await bus.dispatch(new Versioned());
  expect(event.event_schema).toBe('Versioned@2.1.0');
});

test('event - the version is taken from LIBRARY_VERSION when the class names none', () => {
  vi.stubEnv('LIBRARY_VERSION', '9.9.9');
  try {
    const Next = BaseEvent.extend('Next', {});
    expect(new Next().event_schema).toBe('Next@9.9.9');
  } finally {
    vi.unstubAllEnvs();
  }
});

test('event - framework fields go into the second argument, and only those', () => {
  const wrong = { event_timout: 3 } as object;
  expect(refusal(() => new Note({ text: '' }, wrong)).message).toMatch(
    /^Note: an event has no field 'event_timout'\. The second argument takes: event_type, event_schema, event_id/,
  );
  expect(refusal(() => new Note({ text: '' }, null as never)).message).toContain(
    "expected the event's fields (the second argument) to be an object; got null",
  );
  expect(refusal(() => new Note({ text: '' }, { event_path: 'Main' as never })).message).toContain(
    'expected event_path to be an array of bus names; got the string "Main"',
  );
  expect(refusal(() => new Note({ text: '' }, { event_result_type: String as never })).message).toContain(
    'expected event_result_type to be a zod type or null; got the function String',
  );
  expect(refusal(() => new Note({ text: '' }, { event_schema: 5 as never })).message).toContain(
    'expected event_schema to be a string; got 5 (number)',
  );
});

test('event - an event is not thenable and shows itself as text', async () => {
  await using bus = new EventBus({ name: 'TextBus' });
  const event = new Note({ text: 'x' });
  const id = event.event_id.slice(-4);
  expect('then' in event).toBe(false);
  expect(String(event)).toBe(`▶ Note#${id} ⏳`);
  await bus.dispatch(event);
  expect(String(event)).toBe(`TextBus▶ Note#${id} ✅`);
});

test('event - a copy by eventReset has a new id and nothing of what happened', async () => {
  await using bus = new EventBus();
  bus.on(Note, () => 'done');
  const original = await bus.dispatch(new Note({ text: 'x', extra: 1 } as { text: string }, { event_timeout: 3 }));
  const copy = original.eventReset();
  expect(copy).toBeInstanceOf(Note);
  expect(copy.event_id).not.toBe(original.event_id);
  expect({ ...copy }).toEqual({ text: 'x', extra: 1 });
  expect(copy.event_timeout).toBe(3);
  expect(copy.event_status).toBe('pending');
  expect(copy.event_path).toEqual([]);
  expect(copy.event_results.size).toBe(0);
  expect(original.event_status).toBe('completed');
  expect(original.event_results.size).toBe(1);
  expect((await bus.dispatch(copy)).event_results.size).toBe(1);
});
