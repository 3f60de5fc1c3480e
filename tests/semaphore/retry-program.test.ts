import { expect, test } from 'vitest';
import { runProgram } from '../helpers/run-program.ts';

/** `npm run torture -- --scenario retries` runs more of them. */
const count = 3;

/** @returns what it says is wrong, and its tally */
async function programs(scope: string, leaks: number): Promise<{ wrong: string[]; tally: Record<string, number> }> {
  const seed = Number(process.env['THREADBUS_SEED'] ?? Math.floor(Math.random() * 2 ** 20));
  console.log(`retry program: ${count} programs from ${seed}, ${scope}`);
  const { stdout } = await runProgram('semaphore/retry-program', [seed, count, scope, leaks].map(String));
  const lines = stdout.trim().split('\n');
  const wrong = lines.filter((line) => line.startsWith('{"seed"'));
  return { wrong, tally: JSON.parse(lines.at(-1) ?? '') as Record<string, number> };
}

// Calls that are cancelled, timed out and nested, in threads or processes that end at some step of taking or freeing a slot.
test.each(['global', 'multiprocess'])(
  'retry program - %s: never more than the limit, no slot is lost, every call ends once',
  async (scope) => {
    const { wrong, tally } = await programs(scope, 0);
    expect(wrong).toEqual([]);
    expect(tally).toMatchObject({ programs: count, bad: 0 });
    expect(tally['holds']).toBeGreaterThan(count * 5);
  },
  120_000,
);

test('retry program - it finds work without a slot', async () => {
  const { tally } = await programs('global', 0.5);
  expect(tally['bad']).toBeGreaterThan(0);
}, 120_000);
