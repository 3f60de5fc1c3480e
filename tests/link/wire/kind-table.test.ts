import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { type EventKind, KindWriter } from '../../../packages/link/dist/wire/kind-table.js';

test('kind table - a number means the kind that it was given last, also when there are more kinds than numbers', () => {
  const told: EventKind[] = [];
  const writer = new KindWriter((number, kind) => (told[number] = kind));
  const send = (type: string, event_timeout: number): void => {
    const event = new BaseEvent({}, { event_type: type, event_timeout });
    const { type: as, schema, timeout } = told[writer.of(event).number] as EventKind;
    expect([as, schema, timeout]).toEqual([type, event.event_schema, event_timeout]);
  };
  for (let n = 0; n < 1024; n += 1) send(`Kind${n}`, 1);
  // The table is full: a known kind changes, others follow, and the known one comes again.
  send('Kind700', 2);
  for (let n = 2000; n < 3000; n += 1) send(`Kind${n}`, 1);
  send('Kind700', 2);
  for (let n = 0; n < 1024; n += 1) send(`Kind${n}`, 3);
  expect(told.length).toBeLessThanOrEqual(1024);
});
