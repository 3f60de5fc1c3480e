import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { startBus } from '../../helpers/worker-bus.ts';

test.each(['user.created', 'user-created', '_private', 'a:b', '$x', 'Größe', 'заказ.создан', 'x'.repeat(128)])(
  'names - %s may be a type of events and the name of a bus',
  async (name) => {
    const bus = quietBus({ name });
    const Type = BaseEvent.extend(name, {});
    bus.on(Type, () => 'class');
    bus.on(name, () => 'text');
    const event = await bus.dispatch(new Type({}));
    expect(event.event_type).toBe(name);
    expect(event.event_path).toEqual([name]);
    expect(await event.eventResultsList()).toEqual(['class', 'text']);
    expect(BaseEvent.fromJSON(JSON.stringify(event)).event_type).toBe(name);
  },
);

test.each(['1a', '.a', '-a', ':a', 'a b', 'a/b', '', 'x'.repeat(129), 5])(
  'names - a bus may not be called %s',
  (name) => {
    expect(() => new EventBus({ name: name as string })).toThrow(TypeError);
  },
);

test('names - a limit of 0 in JSON is none; given in code it is refused', () => {
  expect(BaseEvent.fromJSON({ event_type: 'A', event_timeout: 0 }).event_timeout).toBeNull();
  expect(() => new BaseEvent({}, { event_timeout: 0 })).toThrow('event_timeout');
});

test('patterns - a prefix matches all types under it; exact first, then the longest prefix, then all', async () => {
  const bus = quietBus();
  const seen: string[] = [];
  const note = (name: string) => (): void => void seen.push(name);
  bus.on('*', note('*'));
  bus.on('user.*', note('user.*'));
  bus.on('user.account.*', note('user.account.*'));
  bus.on('user.account.created', note('exact'));
  const send = async (event_type: string): Promise<string[]> => {
    seen.length = 0;
    await bus.dispatch(new BaseEvent({}, { event_type }));
    return [...seen];
  };
  expect(await send('user.account.created')).toEqual(['exact', 'user.account.*', 'user.*', '*']);
  expect(await send('user.account.closed.late')).toEqual(['user.account.*', 'user.*', '*']);
  expect(await send('user.x')).toEqual(['user.*', '*']);
  expect(await send('user')).toEqual(['*']);
  expect(await send('username.x')).toEqual(['*']);
  bus.off('user.*');
  expect(await send('user.x')).toEqual(['*']);
  const again = bus.on('user.*', note('again'));
  expect(await send('user.x')).toEqual(['again', '*']);
  again();
  expect(await send('user.account.created')).toEqual(['exact', 'user.account.*', '*']);
});

test('patterns - a prefix is taken wherever a pattern is', async () => {
  const bus = quietBus();
  const expected = bus.expect('user.*');
  const future = bus.find('user.*', { past: false, future: true });
  const once: string[] = [];
  bus.on('user.*', ({ event_type }) => void once.push(event_type), { once: true });
  const event = await bus.dispatch(new BaseEvent({}, { event_type: 'user.a' }));
  await bus.dispatch(new BaseEvent({}, { event_type: 'user.b' }));
  expect(await expected).toBe(event);
  expect(await future).toBe(event);
  expect(once).toEqual(['user.a']);
  expect((await bus.find('user.*'))?.event_type).toBe('user.b');
  const remote = await startBus('havoc-bus');
  const seen: string[] = [];
  remote.on('user.*', ({ event_type }) => void seen.push(event_type));
  const there = remote.expect('user.*', { timeout: 10 });
  await remote.dispatch(new BaseEvent({}, { event_type: 'user.c' }));
  expect(seen).toEqual(['user.c']);
  expect((await there).event_type).toBe('user.c');
});
