import { BaseEvent, isFirstResultError, isHandlerAbortedError, isHandlerCancelledError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, ticks } from '../../helpers/gate.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Race = BaseEvent.extend('Race', {}, { completion: 'first' });

function errorsOf(event: BaseEvent): (Error | null)[] {
  return [...event.event_results.values()].map(({ error }) => error as Error | null);
}

test('first result - on a serial bus handlers run in order until one answers', async () => {
  const logger = logRecorder();
  const bus = quietBus({ logger });
  const ran: string[] = [];
  bus.on(Race, () => void ran.push('nothing'));
  bus.on(Race, () => {
    ran.push('fails');
    throw new Error('no answer');
  });
  bus.on(Race, async () => {
    ran.push('answers');
    return 0;
  });
  bus.on(Race, () => ran.push('too late'));
  const event = await bus.dispatch(new Race({}));
  expect(ran).toEqual(['nothing', 'fails', 'answers']);
  const [, , answer, late] = errorsOf(event);
  expect(answer).toBeNull();
  expect(isHandlerCancelledError(late)).toBe(true);
  expect(isFirstResultError(late?.cause)).toBe(true);
  expect(late?.message).toContain('a first result');
  expect((await event.eventErrors()).map(({ message }) => message)).toEqual(['no answer']);
  expect(await event.eventResult({ raiseIfAny: false })).toBe(0);
});

test('first result - on a parallel bus the others are aborted, which no helper counts as a failure', async () => {
  const bus = quietBus({ parallelHandlers: true });
  let aborted: unknown = null;
  const Child = BaseEvent.extend('Child', {});
  bus.on(Child, () => new Promise(() => undefined));
  bus.on(Race, async (_event, { signal }) => {
    signal.addEventListener('abort', () => {
      aborted = signal.reason;
    });
    await bus.dispatch(new Child({}));
    return 'slow';
  });
  bus.on(Race, async () => {
    await ticks();
    return 'quick';
  });
  const dispatch = bus.dispatch(new Race({}));
  expect(await dispatch.eventResult()).toBe('quick');
  const [slow] = errorsOf(dispatch.event);
  expect(isHandlerAbortedError(slow)).toBe(true);
  expect(isFirstResultError(slow?.cause)).toBe(true);
  expect(aborted).toBe(slow);
  expect(await dispatch.eventErrors()).toEqual([]);
  expect(dispatch.event.event_outcome).toBe('succeeded');
  const [child] = dispatch.event.event_children as [BaseEvent];
  expect(child.event_status).toBe('completed');
  expect(isFirstResultError(errorsOf(child)[0]?.cause)).toBe(true);
});

test('first result - a forward is no answer; one to come isn’t made, a copy on another bus goes on', async () => {
  const [bus, before, after] = [quietBus(), quietBus(), quietBus()];
  const hold = gate();
  const ran: string[] = [];
  before.on(Race, async () => {
    await hold.opened;
    ran.push('before');
    return 'before';
  });
  after.on(Race, () => ran.push('after'));
  bus.on(Race, before.dispatch);
  bus.on(Race, () => 'here');
  bus.on(Race, after.dispatch);
  const dispatch = bus.dispatch(new Race({}));
  await ticks();
  expect(dispatch.event.event_status).toBe('started');
  hold.open();
  const event = await dispatch;
  expect(ran).toEqual(['before']);
  expect(await event.eventResultsList()).toEqual(expect.arrayContaining(['here', 'before']));
  expect(event.event_path).toEqual([bus.name, before.name]);
});

test('first result - is inherited, and only two words are known', async () => {
  const Sub = Race.extend('Sub', {});
  const bus = quietBus({ parallelHandlers: true });
  bus.on(Sub, () => 1);
  bus.on(Sub, () => new Promise(() => undefined));
  expect(await bus.dispatch(new Sub({})).eventResult()).toBe(1);
  expect(() => BaseEvent.extend('Bad', {}, { completion: 'any' as never })).toThrow("'all' or 'first'");
});
