import { expect, test } from 'vitest';
import { Liveness } from '../../../packages/nats/dist/link/liveness.js';

/** One that gives the other end 3 s, and whose clock the test turns: beats come every third of a second. */
function oneOf(unresponsiveTimeout: number | null = 3) {
  let now = 1000;
  const liveness = new Liveness(unresponsiveTimeout, () => now);
  return {
    liveness,
    heard: () => liveness.heard(),
    /** So many milliseconds in which this end runs. */
    run: (ms: number): string => {
      const end = now + ms;
      let status = 'none';
      while (now < end) {
        now = Math.min(end, now + liveness.beat);
        status = liveness.tick();
      }
      return status;
    },
    /** So many in which it doesn't. */
    stand: (ms: number): void => {
      now += ms;
    },
    tick: () => liveness.tick(),
  };
}

test('liveness - silence is suspect after a third, lost at the end, and up again with the next word', () => {
  const { liveness, run, heard } = oneOf();
  expect(liveness.beat).toBeCloseTo(1000 / 3);
  expect([run(900), run(200), run(1800)]).toEqual(['up', 'suspect', 'suspect']);
  expect(heard()).toBe(true);
  expect([run(900), run(1800), run(400)]).toEqual(['up', 'suspect', 'lost']);
});

test('liveness - whoever did not run does not judge: what came meanwhile is read first', () => {
  const { run, stand, tick, heard } = oneOf();
  run(500);
  // Silent for 3.4 s, most of which this end has slept through.
  stand(2900);
  expect(tick()).toBe('suspect');
  expect(heard()).toBe(true);
  expect(run(300)).toBe('up');
});

test('liveness - it judges a beat later, when nothing was there to be read', () => {
  const { liveness, run, stand, tick } = oneOf();
  run(500);
  stand(2900);
  expect(tick()).toBe('suspect');
  expect(run(liveness.beat - 1)).toBe('suspect');
  expect(run(2)).toBe('lost');
});

test('liveness - after a pause as long as the limit it is this end that is lost, before it reads on', () => {
  const { run, stand, tick, heard } = oneOf();
  run(100);
  stand(3000);
  expect(heard()).toBe(false);
  expect(tick()).toBe('expired');
});

test('liveness - without a limit nobody is ever lost, however long it takes', () => {
  const { liveness, run, stand, tick, heard } = oneOf(null);
  expect(liveness.beat).toBe(1000);
  expect([run(2900), run(200), run(1e6)]).toEqual(['up', 'suspect', 'suspect']);
  stand(1e9);
  expect([tick(), heard()]).toEqual(['suspect', true]);
});
