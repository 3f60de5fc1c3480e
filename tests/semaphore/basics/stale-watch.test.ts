import { expect, test } from 'vitest';
import { Sleepers } from '../../../packages/semaphore/dist/basics/sleepers.js';
import { StaleWatch } from '../../../packages/semaphore/dist/basics/stale-watch.js';

/** A clock that the test turns; the watch is asked every so often, as by someone who waits. */
class Watching {
  now = 1000;
  readonly #watch = new StaleWatch(() => this.now);

  /** Watches for so long, one look after each step. @returns after how many ms it was stale */
  for(ms: number, stamp: (now: number) => number, step = 250): number | undefined {
    const begin = this.now;
    for (; this.now - begin <= ms; this.now += step) {
      if (this.#watch.isStale('flag', stamp(this.now))) return this.now - begin;
    }
    return undefined;
  }

  sleep(ms: number): void {
    this.now += ms;
  }
}

test.each([
  ['now', 1000],
  ['an hour ahead', 3_600_000],
  ['in 1970', 0],
  ['before 1970', -5],
])('stale watch - a sign that never changes is stale after a minute of watching, whatever its date: %s', (_, stamp) => {
  expect(new Watching().for(120_000, () => stamp)).toBe(60_000);
});

test('stale watch - a sign that changes, forwards or backwards, never is', () => {
  expect(new Watching().for(600_000, (now) => Math.floor(now / 5000))).toBeUndefined();
  expect(new Watching().for(600_000, (now) => -Math.floor(now / 50_000))).toBeUndefined();
});

test.each([66_000, 3_600_000, 86_400_000])(
  'stale watch - watcher and owner suspended together for %i ms: the owner has its time to show that it lives',
  (ms) => {
    const watching = new Watching();
    expect(watching.for(4000, () => 1)).toBeUndefined();
    watching.sleep(ms);
    // The owner's next sign comes five seconds after it goes on.
    const resumed = watching.now;
    expect(
      watching.for(60_000, (now) => (now - resumed < 5000 ? 1 : 2 + Math.floor((now - resumed) / 5000))),
    ).toBeUndefined();
  },
);

test('stale watch - suspended again and again, a minute of its own time is still needed', () => {
  const watching = new Watching();
  let watched = 0;
  for (; watched < 59; watched++) {
    expect(watching.for(750, () => 1)).toBeUndefined();
    watching.sleep(1_000_000);
    // Of each gap no more than two seconds count.
    if (watched > 18) break;
  }
  expect(watching.for(60_000, () => 1)).toBeDefined();
});

test('stale watch - a sign that came back after a change begins anew', () => {
  const watching = new Watching();
  expect(watching.for(59_000, () => 1)).toBeUndefined();
  expect(watching.for(0, () => 2)).toBeUndefined();
  expect(watching.for(59_000, () => 1)).toBeUndefined();
});

test('sleepers - late is who left it free over several looks; a sign of life wakes it', async () => {
  const sleepers = new Sleepers();
  const isLateAfter = async (ms: number): Promise<boolean> => {
    const end = performance.now() + ms;
    while (performance.now() < end) {
      if (sleepers.isLate('turn', 'owner', 1)) return true;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return false;
  };
  expect(sleepers.isLate('turn', 'owner', 1)).toBe(false);
  // Stopped itself for long: that is no lateness of the other's.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900);
  expect(sleepers.isLate('turn', 'owner', 1)).toBe(false);
  expect(sleepers.isAsleep('owner', () => 1)).toBe(false);
  expect(await isLateAfter(5000)).toBe(true);
  expect(sleepers.isAsleep('owner', () => 1)).toBe(true);
  expect(sleepers.isAsleep('owner', () => 2)).toBe(false);
  expect(sleepers.isAsleep('owner', () => 1)).toBe(false);
});
