import { BaseEvent, isBusError } from '@threadbus/core';
import type { LinkedBus } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { gate, rejection } from '../../helpers/gate.ts';
import { linkPair } from '../link-pair.ts';

function event(event_type: string, payload: object = {}): BaseEvent {
  return new BaseEvent(payload, { event_type, event_timeout: 5 });
}

/** A round trip: the other side has read what was sent before, and what it had sent is here. */
async function heard(bus: LinkedBus): Promise<void> {
  await bus.dispatch(event('Ping'));
}

async function idsOf(events: AsyncIterable<BaseEvent>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { event_id } of events) ids.push(event_id);
  return ids;
}

test('remote events - what is made while the stream is on its way is not missed, nor given twice', async () => {
  const { there, down } = await linkPair();
  const over = gate();
  there.on('*', () => over.opened);
  const events = down.events('Any');
  const made = [there.dispatch(event('Any')), there.dispatch(event('Other')), there.dispatch(event('Any'))];
  const later = down.dispatch(event('Any'));
  const expected = [made[0], made[2], later].map((dispatch) => dispatch?.event.event_id);
  const seen: string[] = [];
  for await (const { event_id } of events) {
    seen.push(event_id);
    if (seen.length === 3) break;
  }
  expect(seen).toEqual(expected);
  over.open();
  await Promise.all([...made, later]);
});

test('remote events - results and children of what was read come back into it', async () => {
  const { there, down } = await linkPair();
  there.on('Parent', async (_event, { bus }) => {
    await bus.dispatch(event('Child'));
    return 'parent';
  });
  there.on('Child', () => 'child');
  const events = down.events('Parent');
  await heard(down);
  there.dispatch(event('Parent'));
  const { value: parent } = await events.next();
  expect(await parent?.eventResult()).toBe('parent');
  expect(await parent?.event_children[0]?.eventResult()).toBe('child');
});

test('remote events - a prefix is a pattern, as anywhere', async () => {
  const { there, down } = await linkPair();
  const events = down.events('user.*');
  await heard(down);
  for (const type of ['user.created', 'order.created', 'user.left']) there.dispatch(event(type));
  expect((await events.next()).value?.event_type).toBe('user.created');
  expect((await events.next()).value?.event_type).toBe('user.left');
});

test('remote events - whoever leaves the loop is sent nothing more', async () => {
  const { there, down, ports } = await linkPair();
  const frames: string[] = [];
  ports[0].on('message', (frame: unknown) => frames.push(JSON.stringify(frame)));
  const offers = (): number => frames.filter((frame) => frame.includes('"Any"')).length;
  const events = down.events('Any');
  await heard(down);
  there.dispatch(event('Any'));
  for await (const { event_type } of events) {
    expect(event_type).toBe('Any');
    break;
  }
  await heard(down);
  expect(offers()).toBe(1);
  await there.dispatch(event('Any'));
  await heard(down);
  expect(offers()).toBe(1);
});

test('remote events - what is buffered is read, then it ends with the bus', async () => {
  const { there, down } = await linkPair();
  const events = down.events('Any');
  await heard(down);
  const made = there.dispatch(event('Any'));
  await heard(down);
  await there.stop();
  expect(await idsOf(events)).toEqual([made.event.event_id]);
});

test('remote events - a bus that is stopped says so to whoever expects an event, and ends streams quietly', async () => {
  const { there, down } = await linkPair();
  const expected = rejection(down.expect('Any'));
  const events = down.events('Any');
  await heard(down);
  await there.stop();
  expect((await expected).name).toBe('BusStoppedError');
  expect(await idsOf(events)).toEqual([]);
});

test('remote events - a lost link is an error, behind what is buffered', async () => {
  const { there, down, ports } = await linkPair();
  const events = down.events('Any');
  await heard(down);
  const made = there.dispatch(event('Any'));
  await heard(down);
  ports[1].close();
  expect((await events.next()).value?.event_id).toBe(made.event.event_id);
  expect(isBusError(await rejection(events.next()))).toBe(true);
  expect(await events.next()).toEqual({ done: true, value: undefined });
  expect(() => down.events('Any')).toThrow('was closed');
});

test('remote events - one that can’t cross ends it with the reason, behind those before it', async () => {
  const { there, down } = await linkPair();
  const events = down.events('Any');
  await heard(down);
  const made = there.dispatch(event('Any'));
  there.dispatch(event('Any', { call: () => undefined }));
  expect((await events.next()).value?.event_id).toBe(made.event.event_id);
  expect((await rejection(events.next())).name).toBe('UnserializableError');
});

test('remote events - options that it does not know are refused', async () => {
  const { down } = await linkPair();
  expect(() => down.events('Any', { bufer: 1 } as never)).toThrow(TypeError);
  expect(() => down.events('Any', { buffer: -1 })).toThrow(RangeError);
  expect(() => down.events('no pattern')).toThrow(/event type/);
});
