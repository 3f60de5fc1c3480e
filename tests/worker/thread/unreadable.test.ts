import { BaseEvent, type EventBus } from '@threadbus/core';
import { HandlerPool, isWorkerCrashedError, WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

/*
 * A message that a thread can't read: Node tells only that there was one. Nested as deep as may cross, it takes more
 * stack than a thread has that was given little.
 */
const little = { stackSizeMb: 0.4 };

function event(event_type: string, levels: number): BaseEvent {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return new BaseEvent({ n: 2, value }, { event_type, event_timeout: 60 });
}

async function errorOf(bus: Pick<EventBus, 'dispatch'>, sent: BaseEvent): Promise<unknown> {
  const [result] = (await bus.dispatch(sent)).event_results.values();
  return result?.error ?? null;
}

test('unreadable - an event that its thread can not read ends that, and nothing hangs', async () => {
  const bus = await WorkerBus.start(fixtureUrl('worker/echo-bus'), {
    parent: quietBus({ name: 'UnreadableParent' }),
    resourceLimits: little,
    restart: 'never',
  });
  onTestFinished(async () => bus.stop());
  const errors = await Promise.all([errorOf(bus, event('Unread', 980)), errorOf(bus, event('Unread', 1))]);
  for (const error of errors) {
    expect(isWorkerCrashedError(error)).toBe(true);
    expect((error as Error).message).toContain('could not be read');
  }
});

test('unreadable - a call that its pool thread can not read fails, and the next one has a thread', async () => {
  const bus = quietBus({ name: 'UnreadablePool' });
  const pool = new HandlerPool({ maxThreads: 1, resourceLimits: little });
  onTestFinished(async () => pool.stop());
  bus.on('*', pool.handler(fixtureUrl('worker/double-task')));
  expect(isWorkerCrashedError(await errorOf(bus, event('Unread', 980)))).toBe(true);
  expect(await bus.dispatch(event('Unread', 1)).eventResult()).toBe(4);
});
