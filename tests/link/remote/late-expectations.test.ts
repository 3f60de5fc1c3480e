import { BaseEvent } from '@threadbus/core';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { gate, rejection, ticks } from '../../helpers/gate.ts';
import { linkPair } from '../link-pair.ts';

/*
 * A bus hears of an expectation later than it was made. What was dispatched there meanwhile counts, whatever has become of
 * it; what was dispatched before doesn't. Both sides look at the same clock, which is finer than these tests are fast.
 */
function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: 60 });
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('late expectations - an event that was made long before it is dispatched is not missed', async () => {
  const { there, down } = await linkPair();
  const over = gate();
  there.on('Old', () => over.opened);
  const made = event('Old');
  // Older than what clocks are told apart by.
  while (Date.now() - Date.parse(made.event_created_at) < 10) await ticks(1);
  const expected = down.expect('Old', { timeout: 60 });
  const dispatched = there.dispatch(made);
  expect((await expected).event_id).toBe(made.event_id);
  over.open();
  await dispatched;
});

test('late expectations - an event that is complete when the bus hears of the expectation is not missed', async () => {
  const { there, down } = await linkPair();
  there.on('Quick', () => 'done');
  const expected = down.expect('Quick', { timeout: 60 });
  const dispatched = await there.dispatch(event('Quick'));
  const found = await expected;
  expect(found.event_id).toBe(dispatched.event_id);
  expect(await found.eventResult()).toBe('done');
});

test('late expectations - a stream gets all that came since it was asked for, in order and once', async () => {
  const { there, down } = await linkPair({}, { maxHistorySize: null });
  await there.dispatch(event('Any.Before'));
  const stream = down.events('Any.*');
  const sent = Array.from({ length: 300 }, () => event('Any.Each'));
  for (const each of sent.slice(0, 40)) await there.dispatch(each);
  for (const each of sent.slice(40)) there.dispatch(each);
  for (const each of sent) expect((await stream.next()).value?.event_id).toBe(each.event_id);
  const last = there.dispatch(event('Any.Last'));
  expect((await stream.next()).value?.event_id).toBe(last.event.event_id);
  await stream.return?.();
});

test('late expectations - what was dispatched just before is none, open or complete', async () => {
  const { there, down } = await linkPair({}, { concurrency: null });
  const over = gate();
  there.on('Open', () => over.opened);
  for (let round = 0; round < 20; round += 1) {
    const open = there.dispatch(event('Open'));
    await there.dispatch(event('Complete'));
    const waits = ['Open', 'Complete'].map((type) => rejection(down.expect(type, { timeout: 0.02 })));
    for (const error of await Promise.all(waits)) expect(error.name).toBe('TimeoutError');
    over.open();
    await open;
  }
});

test('late expectations - what nobody has taken is not kept while the expectation goes on', async () => {
  const { there, down } = await linkPair({}, { maxHistorySize: 0 });
  const refs: WeakRef<BaseEvent>[] = [];
  const expected = down.expect('Kept', { include: ({ event_path }) => event_path.length > 9 });
  const waits = rejection(expected);
  for (let sent = 0; sent < 640; sent += 1) {
    const each = event('Kept');
    refs.push(new WeakRef(each));
    await there.dispatch(each);
    if (sent % 64 === 0) await ticks(2);
  }
  await ticks();
  collect();
  expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(200);
  down.close();
  await waits;
});
