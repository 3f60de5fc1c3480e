import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
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
