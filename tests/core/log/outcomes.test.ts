import { BaseEvent, EventBus, isEventStateError, readWal } from '@threadbus/core';
import { expect, test } from 'vitest';
import { collect } from '../../helpers/collect.ts';
import { gate, rejection, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { join } from 'node:path';
import { tempFolder } from '../../helpers/temp-folder.ts';

const Job = BaseEvent.extend('Job', {});

class DiskFull extends Error {
  override readonly name = 'DiskFull';
  readonly code = 'ENOSPC';
}

/** A log of one event that succeeded, one that failed, and two that a stop has cut off. */
async function logOfAll(): Promise<string> {
  const walPath = join(tempFolder(), 'log.jsonl');
  const bus = quietBus({ name: 'Jobs', walPath });
  let calls = 0;
  bus.on(Job, async function work() {
    calls += 1;
    if (calls === 1) return 'done';
    if (calls === 2) throw new DiskFull('no space left');
    return gate().opened;
  });
  for (let n = 0; n < 4; n += 1) bus.dispatch(new Job());
  await ticks();
  await bus.stop();
  return walPath;
}

test('read-wal - each event says how it ended', async () => {
  const events = await collect(readWal(await logOfAll()));
  expect(events.map(({ event_status }) => event_status)).toEqual(Array.from({ length: 4 }, () => 'completed'));
  expect(events.map(({ event_outcome }) => event_outcome)).toEqual(['succeeded', 'failed', 'cancelled', 'cancelled']);
  for (const { event_started_at, event_completed_at } of events) {
    expect([typeof event_started_at, typeof event_completed_at]).toEqual(['string', 'string']);
  }
});

test('read-wal - results come back: handler, bus, status, and the error by name, message and code', async () => {
  const events = await collect(readWal(await logOfAll()));
  const [done, failed, aborted, cancelled] = events.map(({ event_results }) => [...event_results.values()][0]);
  expect([done?.status, done?.error, done?.handler_name, done?.eventbus_name]).toEqual([
    'completed',
    null,
    'work',
    'Jobs',
  ]);
  expect(failed?.status).toBe('error');
  expect(failed?.error).toBeInstanceOf(Error);
  expect(failed?.error).toMatchObject({ name: 'DiskFull', message: 'no space left', code: 'ENOSPC' });
  expect(aborted?.error).toMatchObject({ name: 'HandlerAbortedError', code: 'ERR_HANDLER_ABORTED' });
  expect(cancelled?.error).toMatchObject({ name: 'HandlerCancelledError', code: 'ERR_HANDLER_CANCELLED' });
  expect(failed?.handler_id).toBe(done?.handler_id);
});

test('read-wal - reset gives fresh copies, without what became of them', async () => {
  for await (const event of readWal(await logOfAll(), { reset: true })) {
    expect([event.event_status, event.event_outcome, event.event_results.size]).toEqual(['pending', null, 0]);
  }
});

test('read-wal - an event that is read is done: a bus that it went through has nothing to do with it', async () => {
  const [event] = await collect(readWal(await logOfAll()));
  await using bus = new EventBus({ name: 'Jobs' });
  expect(isEventStateError(await rejection((async () => bus.dispatch(event as BaseEvent))()))).toBe(true);
  expect(event?.event_outcome).toBe('succeeded');
});

test('wal - an error that can not be read costs the event neither its line nor its end', async () => {
  const walPath = join(tempFolder(), 'log.jsonl');
  await using bus = quietBus({ walPath });
  bus.on(Job, () => {
    throw Object.defineProperty(new Error('odd'), 'code', {
      get() {
        throw new Error('not yours');
      },
    });
  });
  expect((await bus.dispatch(new Job())).event_outcome).toBe('failed');
  const [event] = await collect(readWal(walPath));
  expect(event?.event_outcome).toBe('failed');
});

test('read-wal - what a getter of an error throws costs that field alone', async () => {
  const walPath = join(tempFolder(), 'log.jsonl');
  const bus = quietBus({ walPath });
  bus.on(Job, () => {
    const options = {
      get: () => {
        throw new Error('not to be read');
      },
    };
    throw Object.defineProperty(new RangeError('odd'), 'code', options);
  });
  await bus.dispatch(new Job());
  await bus.stop();
  const [event] = await collect(readWal(walPath));
  const [result] = event?.event_results.values() ?? [];
  expect(result?.error).toMatchObject({ name: 'RangeError', message: 'odd' });
});
