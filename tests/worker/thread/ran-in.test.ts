import { BaseEvent, type EventResult } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Havoc, Step } from '../../fixtures/worker/events.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { startBus } from '../../helpers/worker-bus.ts';

const WhoAmI = BaseEvent.extend('WhoAmI', {});
const News = BaseEvent.extend('News', {});

function placesOf(event: BaseEvent): unknown[] {
  return [...event.event_results.values()].map(({ thread_id: thread, pid }) => [thread, pid]);
}

test.for(['thread', 'process'] as const)('ran in - a result says in which %s its handler ran', async (isolation) => {
  const main = quietBus({ name: `Main_${isolation}` });
  const there = await startBus('options-bus', { isolation });
  const listening = await startBus('listening-bus', { isolation, parent: main });
  const asked = await there.dispatch(new WhoAmI({}));
  expect(placesOf(asked)).toEqual([[there.threadId, there.pid]]);
  main.on(News, () => undefined);
  const told = await main.dispatch(new News({}));
  expect(placesOf(told)).toEqual([
    [listening.threadId, listening.pid],
    [0, process.pid],
  ]);
  main.on(WhoAmI, there.dispatch);
  const sent = await main.dispatch(new WhoAmI({}));
  expect(placesOf(sent)).toEqual([
    [0, process.pid],
    [there.threadId, there.pid],
  ]);
});

test.for([
  ['thread', 'loop'],
  ['thread', 'process.exit'],
  ['process', 'loop'],
  ['process', 'process.exit'],
] as const)('ran in - so does that of a handler which ends with its %s, by a %s', async ([isolation, what]) => {
  const there = await startBus('havoc-bus', { isolation, restart: 'never' });
  const place = [there.threadId, there.pid];
  const ending = there.dispatch(new Havoc({ what }, { event_timeout: 0.3 }));
  const behind = there.dispatch(new Step({ what: 'order' }));
  const ended = await ending;
  expect(placesOf(ended)).toEqual([place]);
  const [result] = [...ended.event_results.values()] as EventResult[];
  expect(result?.status).toBe('error');
  // It has run for as long as it was given, and not for a moment when it ended.
  const ran = Date.parse(result?.completed_at ?? '') - Date.parse(result?.started_at ?? '');
  expect(ran).toBeGreaterThanOrEqual(what === 'loop' ? 290 : 0);
  // What waited behind it has run nowhere.
  const never = await behind;
  expect([...never.event_results.values()].map(({ status }) => status)).toEqual(['error']);
  expect(placesOf(never)).toEqual([[null, null]]);
});
