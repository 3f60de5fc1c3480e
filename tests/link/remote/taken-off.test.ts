import { BaseEvent, type Subscription } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, ticks } from '../../helpers/gate.ts';
import { linkPair } from '../link-pair.ts';

/*
 * A handler that is taken off is heard of later on its bus: events for which it was matched by then, wherever they are,
 * have no result of it. That somebody has stopped listening fails nobody's event.
 */
function event(): BaseEvent {
  return new BaseEvent({}, { event_type: 'Told', event_timeout: 60 });
}

async function errorsOf(events: readonly PromiseLike<BaseEvent>[]): Promise<unknown[]> {
  const all = await Promise.all(events);
  return all.flatMap((each) => [...each.event_results.values()].map(({ error }) => error)).filter(Boolean);
}

test.for([1, 256])('taken off - by the first call, with others on their way (window %i)', async (maxInFlight) => {
  const { there, down } = await linkPair({ maxInFlight });
  let calls = 0;
  const subscription: Subscription = down.on('Told', () => {
    subscription();
    calls += 1;
  });
  await ticks();
  const sent = Array.from({ length: 20 }, () => there.dispatch(event()));
  expect(await errorsOf(sent)).toEqual([]);
  expect(calls).toBe(1);
});

test('taken off - while an earlier handler of an event that was matched is at work', async () => {
  const { there, down } = await linkPair();
  const [begun, over] = [gate(), gate()];
  there.on('Told', async () => {
    begun.open();
    await over.opened;
  });
  let calls = 0;
  const off = down.on('Told', () => (calls += 1));
  await ticks();
  const sent = there.dispatch(event());
  await begun.opened;
  off();
  await ticks();
  over.open();
  expect(await errorsOf([sent])).toEqual([]);
  expect(calls).toBe(0);
});

test('taken off - a forward, with events on their way', async () => {
  const { here, there, down } = await linkPair();
  const seen: BaseEvent[] = [];
  const off: Subscription = down.on('Told', here.dispatch);
  here.on('Told', (each) => {
    off();
    seen.push(each);
  });
  await ticks();
  const sent = Array.from({ length: 20 }, () => there.dispatch(event()));
  expect(await errorsOf(sent)).toEqual([]);
  expect(seen.length).toBeGreaterThan(0);
});
