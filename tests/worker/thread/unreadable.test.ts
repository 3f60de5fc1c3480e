import { BaseEvent, type EventBus, isUnserializableError } from '@threadbus/core';
import { HandlerPool, isWorkerCrashedError, WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

/*
 * A message that a thread can't read: Node tells only that there was one. Nested as deep as may cross, it takes more
 * stack than a thread has that was given little.
 */
const little = { stackSizeMb: 0.32 };

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

test.for([
  ['thread', little],
  ['process', { stackSizeMb: 0.15 }],
] as const)(
  'unreadable - of events that were sent together only the one that can not be read fails (%s)',
  async ([isolation, resourceLimits]) => {
    const bus = await WorkerBus.start(fixtureUrl('worker/echo-bus'), {
      parent: quietBus({ name: `UnreadableAmong-${isolation}` }),
      resourceLimits,
      isolation,
    });
    onTestFinished(async () => bus.stop());
    const plain = (n: number): BaseEvent => new BaseEvent({ value: n }, { event_type: 'Echo', event_timeout: 60 });
    const sent = [0, 1, 2, 3].map(plain);
    const poison = [event('Echo', 980), event('Echo', 981)];
    const all = [sent[0], sent[1], poison[0], sent[2], poison[1], sent[3]].map((each) =>
      bus.dispatch(each as BaseEvent),
    );
    await Promise.all(all);
    for (const [n, each] of sent.entries()) expect(await each.eventResult()).toEqual({ value: n });
    for (const each of poison) {
      const [error] = [...each.event_results.values()].map((result) => result.error as Error);
      expect(isUnserializableError(error)).toBe(true);
      expect(error).toHaveProperty('message', expect.stringContaining("Echo can't be read by Echo"));
    }
    expect(bus.stats().restarts).toBe(1);
  },
);

test('unreadable - however many come, the bus stays up', async () => {
  const bus = await WorkerBus.start(fixtureUrl('worker/echo-bus'), {
    parent: quietBus({ name: 'UnreadableMany' }),
    resourceLimits: little,
    restart: { limit: 2, within: 600 },
  });
  onTestFinished(async () => bus.stop());
  for (let sent = 0; sent < 5; sent += 1)
    expect(isUnserializableError(await errorOf(bus, event('Echo', 980)))).toBe(true);
  const last = new BaseEvent({ value: 'last' }, { event_type: 'Echo', event_timeout: 60 });
  expect(await bus.dispatch(last).eventResult()).toEqual({ value: 'last' });
});
