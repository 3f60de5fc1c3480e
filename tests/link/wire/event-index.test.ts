import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { EventIndex } from '../../../packages/link/dist/wire/event-index.js';

test('event index - gives and forgets events as a map of ids would, however many there are', () => {
  const index = new EventIndex();
  const map = new Map<string, BaseEvent>();
  const events = Array.from({ length: 5000 }, () => new BaseEvent({}));
  for (const [i, event] of events.entries()) {
    index.set(event);
    map.set(event.event_id, event);
    const old = events[(i * 7) % 5000] as BaseEvent;
    expect(i % 3 === 0 && index.delete(old)).toBe(i % 3 === 0 && map.delete(old.event_id));
  }
  for (const event of events) expect(index.get(event.event_id)).toBe(map.get(event.event_id));
  expect(new Set(index)).toEqual(new Set(map.values()));
  for (const event of events) index.delete(event);
  expect([...index]).toEqual([]);
});

test('event index - ids that end alike are told apart, and a later event takes the place of one with its id', () => {
  const index = new EventIndex();
  const id = (n: number): string => `0190a0a0-0000-7000-8000-${String(n).padStart(4, '0')}deadbeef`;
  const events = Array.from({ length: 20 }, (_, n) => new BaseEvent({ n }, { event_id: id(n) }));
  for (const event of events) index.set(event);
  for (const [n, event] of events.entries()) expect(index.get(id(n))).toBe(event);
  const twin = new BaseEvent({}, { event_id: id(7) });
  index.set(twin);
  expect(index.get(id(7))).toBe(twin);
  expect([...index]).toHaveLength(20);
  expect(index.delete(events[7] as BaseEvent)).toBe(false);
  expect(index.delete(twin)).toBe(true);
  expect(index.delete(twin)).toBe(false);
  expect(index.get(id(8))).toBe(events[8]);
  expect([...index]).toHaveLength(19);
});
