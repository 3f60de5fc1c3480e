import { BaseEvent, type EventBus } from '@threadbus/core';
import { expect, onTestFinished, test } from 'vitest';
import { Recorder } from '../../../packages/inspector/dist/agent/recorder.js';
import { redactByDefault } from '../../../packages/inspector/dist/basics/redact.js';
import { quietBus } from '../../helpers/quiet-bus.ts';

/** Numbers from a seed: the same each time. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function recorder(records: number): Recorder {
  const made = new Recorder('test', { pid: process.pid, thread: 0 }, redactByDefault, records);
  onTestFinished(() => made.end());
  return made;
}

/** A bus whose events have children as their payload says, some after an await; every event that it has seen. */
function treeBus(): { readonly bus: EventBus; readonly all: BaseEvent[] } {
  const bus = quietBus({ maxHistorySize: 0, maxPending: null, parallelHandlers: true });
  const all: BaseEvent[] = [];
  bus.on('Node', async (event) => {
    all.push(event);
    const { below } = event as unknown as { readonly below: readonly unknown[] };
    for (const [at, each] of below.entries()) {
      if (at % 2 === 1) await new Promise(setImmediate);
      const child = bus.dispatch(new BaseEvent({ below: each }, { event_type: 'Node' }));
      if (at % 3 === 0) await child;
    }
  });
  return { bus, all };
}

function tree(next: () => number, depth = 0): unknown[] {
  const count = depth > 2 ? 0 : Math.floor(next() * 3);
  return Array.from({ length: count }, () => tree(next, depth + 1));
}

test('sampling - a tree is picked as a whole or not at all, and what is not picked leaves nothing behind', async () => {
  const { bus, all } = treeBus();
  const eyes = recorder(400);
  const next = random(7);
  for (let n = 0; n < 2000; n += 1) {
    await bus.dispatch(new BaseEvent({ below: tree(next) }, { event_type: 'Node' }));
    // As a beat does.
    if (n % 200 === 199) eyes.budget.refill(0.1, 0);
  }
  const picked = new Set(all.filter((event) => eyes.of(event) === true).map(({ event_id }) => event_id));
  expect(all.length).toBeGreaterThan(5000);
  expect(picked.size).toBeGreaterThan(100);
  // A second's worth was left, and ten tenths came.
  expect(picked.size).toBeLessThanOrEqual(800);
  for (const { event_id, event_parent_id } of all.filter((event) => event.event_parent_id !== null)) {
    expect(picked.has(event_id)).toBe(picked.has(event_parent_id ?? ''));
  }
  const batches = [];
  for (let batch = eyes.flush(); batch !== null; batch = eyes.flush()) {
    batches.push(batch);
    eyes.budget.refill(1, 0);
  }
  expect([batches[0]?.seen, batches[0]?.skipped]).toEqual([all.length, all.length - picked.size]);
  const records = batches.reduce((sum, batch) => sum + batch.records.length, 0);
  expect(records).toBe(picked.size);
});

test('sampling - what fails is told of whatever is picked, and counted beyond its share', async () => {
  const bus = quietBus({ maxHistorySize: 0, maxPending: null });
  bus.on('Fine', () => undefined);
  bus.on('Wrong', () => {
    throw new RangeError('wrong');
  });
  const eyes = recorder(100);
  const send = async (type: string): Promise<void> => {
    await bus.dispatch(new BaseEvent({}, { event_type: type })).eventCompleted();
  };
  for (let n = 0; n < 1000; n += 1) await send('Fine');
  for (let n = 0; n < 80; n += 1) await send('Wrong');
  const batch = eyes.flush();
  const wrong = batch?.records.filter(({ type }) => type === 'Wrong') ?? [];
  expect(wrong).toHaveLength(50);
  expect(wrong[0]?.calls).toMatchObject([{ status: 'error', error: { name: 'RangeError', message: 'wrong' } }]);
  expect(batch?.untold).toBe(30);
  expect(batch?.seen).toBe(1080);
});

test('sampling - an event that was dispatched before anybody looked is told of when it is handled, and what it leads to', async () => {
  const bus = quietBus({ name: 'Old', maxHistorySize: 0 });
  const types: string[] = [];
  bus.on('Child', () => undefined);
  bus.on('Parent', async () => {
    await bus.dispatch(new BaseEvent({}, { event_type: 'Child' }));
  });
  const old = new BaseEvent({}, { event_type: 'Parent' });
  const dispatch = bus.dispatch(old);
  // Made in an earlier millisecond than that in which somebody begins to look.
  while (Date.now() === Date.parse(old.event_created_at)) void 0;
  const eyes = recorder(100);
  await dispatch;
  for (const { type, born } of eyes.flush()?.records ?? []) types.push(`${type} ${born === null ? 'old' : 'new'}`);
  expect(types.sort()).toEqual(['Child new', 'Parent old']);
});
