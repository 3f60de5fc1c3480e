import { expect, test } from 'vitest';
import { runProgram } from '../../helpers/run-program.ts';

interface Tally {
  /** How many calls ended with which error; '' = with a result. */
  readonly ends: Readonly<Record<string, number>>;
  readonly wrong: readonly string[];
  /** Calls that ended by their time because of what others had left in their thread. */
  readonly innocent: number;
  readonly threadsStarted: number;
  /** In MB, after each round. */
  readonly heaps: readonly number[];
}

/** `npm run torture:pool` has more of them. */
const [calls, rounds] = [2500, 2];

test('pool storm - threads fail in all ways: every call ends once, in time, and begins at most once; nothing is left', async () => {
  const seed = Number(process.env['THREADBUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`pool storm: seed ${seed}, ${calls} calls, ${rounds} rounds`);
  // The program ends by itself only if no thread, port or timer is left.
  const end = await runProgram('worker/pool-storm', [calls, rounds, seed].map(String), ['--expose-gc']);
  expect(end.stderr).not.toContain('UnhandledPromise');
  const last = end.stdout.trim().split('\n').at(-1) ?? '';
  console.log(`pool storm: ${last}`);
  const tally = JSON.parse(last) as Tally;
  expect(tally.wrong).toEqual([]);
  expect(end.code).toBe(0);
  expect(tally.innocent).toBeLessThan(calls * rounds * 0.01);
  expect(Object.values(tally.ends).reduce((sum, count) => sum + count, 0)).toBe(calls * rounds);
  expect(tally.ends['']).toBeGreaterThan(calls * rounds * 0.4);
  expect(Math.max(...tally.heaps.slice(-3))).toBeLessThan(Math.max(...tally.heaps.slice(0, 3)) * 1.3 + 1);
}, 240_000);
