import { expect, test } from 'vitest';
import { runProgram } from '../helpers/run-program.ts';

/** `npm run torture:threads` and `torture:processes` set these. */
const long = process.env['THREADBUS_TORTURE'] === '1';
const count = long ? 400 : 2;
/** Where their buses live. */
const where = process.env['THREADBUS_WHERE'] ?? 'mixed';
const seed = Number(process.env['THREADBUS_SEED'] ?? Math.floor(Math.random() * 2 ** 30));

// The storms' events have one handler each, and nothing between two threads.
test.each(long ? ['calm', 'crashing', 'spoiling'] : ['calm', 'crashing'])(
  'bus program - random programs over buses in threads and processes, %s: all ends once, and nothing is left',
  async (mood) => {
    console.log(`bus program: ${count} programs from ${seed}, ${mood}`);
    const end = await runProgram('worker/bus-program', [String(seed), String(count), where, mood]);
    const lines = end.stdout.trim().split('\n');
    expect(lines.filter((line) => line.startsWith('{"seed"'))).toEqual([]);
    expect(end.code).toBe(0);
    const tally = JSON.parse(lines.at(-1) ?? '') as Record<string, number>;
    expect(tally).toMatchObject({ programs: count, bad: 0 });
    expect(tally['begun']).toBeGreaterThan(0);
  },
  long ? 7_200_000 : 180_000,
);
