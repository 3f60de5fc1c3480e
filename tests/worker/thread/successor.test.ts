import { BaseEvent } from '@threadbus/core';
import { isLinkError } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { gate } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { startBus } from '../../helpers/worker-bus.ts';

const event = (type: string): BaseEvent => new BaseEvent({}, { event_type: type });

test('restart - what was matched and the replacement does not register again fails, and is never another’s', async () => {
  const main = quietBus({ name: 'Main' });
  const starts = sharedCounter();
  const [door, begun] = [gate(), gate()];
  main.on('Asked', async function slow() {
    begun.open();
    await door.opened;
  });
  const bus = await startBus('successor-bus', { parent: main, workerData: { starts: starts.buffer } });
  const sent = main.dispatch(event('Asked'));
  await begun.opened;
  await bus.dispatch(event('Take'));
  await bus.dispatch(event('Exit'));
  await bus.waitUntilIdle({ timeout: 15 });
  expect(starts.value).toBe(2);
  door.open();
  const results = [...(await sent).event_results.values()];
  expect(results.map(({ handler_name }) => handler_name)).toEqual([
    'slow',
    'asked',
    'once',
    'Successor.dispatch',
    'taken',
  ]);
  for (const { handler_name, error } of results.slice(1, -1)) {
    expect(`${handler_name}: ${isLinkError(error)}`).toBe(`${handler_name}: true`);
  }
  // That one is not wanted any more, which fails nobody's event.
  expect(results.at(-1)).toMatchObject({ status: 'completed', result: null });
});
