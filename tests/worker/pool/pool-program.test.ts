import { expect, test } from 'vitest';
import { runProgram } from '../../helpers/run-program.ts';

/** `npm run torture:pool` has more of them. */
const count = 12;

// The storm's calls have nothing to do with each other: what these found, an ordered handler that kept its bus from the
// child that it awaited, needs several handlers, buses and pools that call each other.
test('pool program - signals, first results, children, streams, retries and what breaks: all ends once, and nothing is left', async () => {
  const seed = Number(process.env['THREADBUS_SEED'] ?? Math.floor(Math.random() * 2 ** 30));
  console.log(`pool program: ${count} programs from ${seed}`);
  const end = await runProgram('worker/pool-program', [seed, count].map(String), []);
  const lines = end.stdout.trim().split('\n');
  expect(lines.filter((line) => line.startsWith('{"seed"'))).toEqual([]);
  expect(end.code).toBe(0);
  const tally = JSON.parse(lines.at(-1) ?? '') as Record<string, number>;
  expect(tally).toMatchObject({ programs: count, bad: 0 });
  expect(tally['began']).toBeGreaterThan(count * 5);
}, 240_000);
