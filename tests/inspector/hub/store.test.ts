import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CallRecord, EventRecord } from '../../../packages/inspector/dist/basics/records.js';
import { EventStore } from '../../../packages/inspector/dist/hub/store.js';
import { summarize } from '../../../packages/inspector/dist/hub/summary.js';

const call = (more: Partial<CallRecord> = {}): CallRecord => ({
  id: 'c',
  handler: 'h',
  bus: 'Main',
  thread: null,
  pid: null,
  called: null,
  started: null,
  ended: null,
  status: 'pending',
  error: null,
  ...more,
});
const record = (more: Partial<EventRecord> = {}): EventRecord => ({
  id: 'e',
  parent: null,
  type: 'T',
  bus: 'Main',
  path: [],
  born: null,
  done: null,
  outcome: null,
  calls: [],
  ...more,
});

const home = 1;
const far = 2;
/** What two threads tell of a pool's call, each in its order. */
const told: readonly [number, EventRecord][] = [
  [home, record({ born: 100 })],
  [home, record({ born: 100, calls: [call({ called: 101 })] })],
  [far, record({ calls: [call({ thread: 3, pid: 9, started: 105.25, status: 'started' })] })],
  [
    far,
    record({ calls: [call({ thread: 3, pid: 9, started: 105.25, ended: 110.5, status: 'completed' })], done: 110.75 }),
  ],
  [home, record({ born: 100, calls: [call({ called: 101, started: 105, ended: 110, status: 'completed' })] })],
  [
    home,
    record({
      born: 100,
      path: ['Main'],
      calls: [call({ called: 101, started: 105, ended: 110, status: 'completed' })],
      done: 112,
      outcome: 'succeeded',
    }),
  ],
];

test('store - however the reports of two threads interleave, the same comes out', () => {
  const homes = told.filter(([agent]) => agent === home);
  const fars = told.filter(([agent]) => agent === far);
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (turns) => {
      const store = new EventStore();
      const [here, there] = [[...homes], [...fars]];
      for (const turn of turns) {
        const next = (turn ? here : there).shift() ?? (turn ? there : here).shift();
        if (next !== undefined) store.add(next[1], next[0]);
      }
      expect(store.get('e')?.agents[0]).toBe(home);
      expect(store.get('e')?.record).toMatchObject({
        born: 100,
        done: 112,
        outcome: 'succeeded',
        path: ['Main'],
        calls: [{ called: 101, started: 105.25, thread: 3, pid: 9, status: 'completed' }],
      });
    }),
  );
});

test('store - whenever it is heard that a thread is gone, what ran there is lost, and its event is as its caller tells', () => {
  const place = { pid: 9, thread: 3 };
  const lost = { thread: 3, pid: 9, started: 105.25, ended: 200, status: 'lost' };
  const failed = { id: 'stand-in', thread: 3, pid: 9, started: 105, ended: 111, status: 'error' } as const;
  const homes = [
    record({ born: 100 }),
    record({ born: 100, path: ['Main'], done: 112, outcome: 'failed', calls: [call(failed)] }),
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (order) => {
      const store = new EventStore();
      const here = [...homes];
      const there = [
        () => void store.add(record({ calls: [call({ thread: 3, pid: 9, started: 105.25, status: 'started' })] }), far),
        () => void store.lost(far, place, 200),
      ];
      for (const turn of order) {
        if (turn < 3) there.shift()?.();
        else store.add(here.shift() as EventRecord, home);
      }
      expect(store.get('e')?.record).toMatchObject({ done: 112, outcome: 'failed' });
      expect(store.get('e')?.record.calls).toHaveLength(2);
      expect(store.get('e')?.record.calls).toEqual(
        expect.arrayContaining([expect.objectContaining(lost), expect.objectContaining(failed)]),
      );
    }),
  );
});

test('store - what ran in a thread that is gone is lost, until its caller tells; what was born there has ended', () => {
  const store = new EventStore();
  store.add(record({ born: 1, calls: [call({ called: 2 })] }), home);
  store.add(record({ calls: [call({ thread: 3, pid: 9, started: 3, status: 'started' })] }), far);
  store.add(record({ id: 'there', born: 4 }), far);
  store.add(
    record({ id: 'other', born: 4, calls: [call({ id: 'o', thread: 0, pid: 9, started: 4, status: 'started' })] }),
    home,
  );
  const changed = store.lost(far, { pid: 9, thread: 3 }, 50);
  expect(changed.map(({ id }) => id)).toEqual(['e', 'there']);
  expect(store.get('e')?.record).toMatchObject({
    done: null,
    calls: [{ status: 'lost', ended: 50, started: 3, called: 2 }],
  });
  expect(store.get('there')?.record).toMatchObject({ done: 50, outcome: 'lost' });
  const error = { name: 'WorkerCrashedError', message: 'm', code: null, stack: null };
  store.add(
    record({ born: 1, calls: [call({ called: 2, ended: 60, status: 'error', error })], done: 61, outcome: 'failed' }),
    home,
  );
  expect(store.get('e')?.record).toMatchObject({
    done: 61,
    outcome: 'failed',
    calls: [{ status: 'error', error, thread: 3, started: 3 }],
  });
});

test('store - forgets the oldest beyond ten thousand events, or sixteen megabytes, and counts right', () => {
  const store = new EventStore();
  for (let n = 0; n < 10_500; n += 1) store.add(record({ id: String(n), born: n }), home);
  expect(store.size).toBe(10_000);
  expect(store.get('499')).toBeUndefined();
  expect(store.latest(2, 10_000).map(({ id }) => id)).toEqual(['10498', '10499']);
  const error = { name: 'E', message: 'x'.repeat(10_000), code: null, stack: 'x'.repeat(10_000) };
  for (let n = 0; n < 5000; n += 1) {
    store.add(record({ id: `big${n}`, born: n, done: n, calls: [call({ status: 'error', ended: n, error })] }), home);
    if (n % 7 === 0)
      store.add(record({ id: `big${n}`, born: n, done: n, calls: [call({ status: 'error', ended: n, error })] }), home);
  }
  expect(store.bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
  expect(store.bytes).toBeGreaterThan(15 * 1024 * 1024);
  store.add(record({ id: 'open', born: 1 }), home);
  const { bytes } = store;
  store.dropOpen();
  expect(store.get('open')).toBeUndefined();
  expect(store.bytes).toBeLessThan(bytes);
  for (let n = 0; n < 10_500; n += 1) store.add(record({ id: `small${n}`, born: n }), home);
  store.dropOpen();
  expect([store.size, store.bytes]).toEqual([0, 0]);
});

test('summary - which handlers take longest, and where events go', () => {
  const done = (started: number, ended: number, more: Partial<CallRecord> = {}): CallRecord =>
    call({ id: String(ended), status: 'completed', started, ended, ...more });
  const { slowest, edges } = summarize([
    record({ path: ['Main', 'Far'], calls: [done(0, 10), done(0, 30), done(0, 20, { status: 'error' })] }),
    record({ type: 'U', calls: [done(0, 100, { handler: 'slow', called: 0 }), call()] }),
  ]);
  expect(slowest).toEqual([
    { type: 'U', handler: 'slow', bus: 'Main', calls: 1, failed: 0, p50: 100, p95: 100 },
    { type: 'T', handler: 'h', bus: 'Main', calls: 3, failed: 1, p50: 20, p95: 30 },
  ]);
  expect(edges).toEqual([
    { from: 'Main', to: 'Far', type: 'T', events: 1 },
    { from: 'Main', to: 'slow (pool)', type: 'U', events: 1 },
  ]);
});
