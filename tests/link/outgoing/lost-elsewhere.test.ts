import { BaseEvent } from '@threadbus/core';
import { isLinkError } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { gate, nextTurn } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linked } from '../link-pair.ts';

/*
 * The buses of a ring: an event of the first one goes to the second, and from there to the third. The link between these two
 * is lost when the third has the event: it is complete for the first bus, and comes to it once more from the third.
 */
test('lost elsewhere - an event whose copy was lost between two others does not run again when that comes', async () => {
  const [first, second, third] = [
    quietBus({ name: 'First' }),
    quietBus({ name: 'Second' }),
    quietBus({ name: 'Third' }),
  ];
  const there = await linked(first, second);
  const onwards = await linked(second, third);
  const back = await linked(third, first);
  const [busy, over, ran] = [gate(), gate(), gate()];
  const runs: string[] = [];
  third.on('Busy', async () => {
    busy.open();
    await over.opened;
  });
  first.on('Round', () => void runs.push('first'));
  second.on('Round', onwards.down.dispatch);
  second.on('Round', there.up.dispatch);
  third.on('Round', back.down.dispatch);
  third.on('Round', () => {
    runs.push('third');
    ran.open();
  });
  third.dispatch(new BaseEvent({}, { event_type: 'Busy' }));
  await busy.opened;
  const sent = there.down.dispatch(new BaseEvent({}, { event_type: 'Round' }));
  while (third.stats().queued === 0) await nextTurn();
  onwards.down.close();
  const event = await sent;
  expect([...event.event_results.values()].filter(({ error }) => isLinkError(error))).toHaveLength(1);
  over.open();
  await ran.opened;
  expect(await Promise.all([first, third].map((bus) => bus.waitUntilIdle({ timeout: 10 })))).toEqual([true, true]);
  expect(runs.sort()).toEqual(['first', 'third']);
});
