import { expect, test } from 'vitest';
import { isolation } from '../../helpers/isolation.ts';
import { runProgram } from '../../helpers/run-program.ts';

interface Tally {
  readonly settled: number;
  readonly twice: number;
  readonly ok: number;
  readonly crashed: number;
  readonly timedOut: number;
  readonly wrong: readonly string[];
  readonly kills: number;
  readonly heaps: readonly number[];
}

/** `npm run torture:threads` sets these. */
const long = process.env['THREADBUS_TORTURE'] === '1';
const [events, kills, rounds] = long ? [20_000, 50, 10] : [600, 4, 1];

test(
  'storm - threads or processes are killed at random: every event settles once, nothing hangs, nothing is left',
  async () => {
    const seed = Number(process.env['THREADBUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`storm: seed ${seed}, ${events} events, ${kills} kills, ${rounds} rounds`);
    // The program ends by itself only if no thread, port or timer is left.
    const end = await runProgram(
      'worker/storm',
      [isolation(), ...[events, kills, rounds, seed].map(String)],
      ['--expose-gc'],
    );
    expect(end.stderr.replaceAll(/^.*(?:unrecognized|ExperimentalWarning).*$/gm, '')).not.toContain('UnhandledPromise');
    expect(end.code).toBe(0);
    const tally = JSON.parse(end.stdout.trim().split('\n').at(-1) ?? '') as Tally;
    console.log(`storm: ${end.stdout.trim()}`);
    expect(tally).toMatchObject({ settled: events * rounds, twice: 0, wrong: [], kills: kills * rounds });
    expect(tally.ok + tally.crashed + tally.timedOut).toBe(events * rounds);
    expect(tally.ok).toBeGreaterThan(events * rounds * 0.5);
    // In MB, after each round.
    expect(Math.max(...tally.heaps.slice(-3))).toBeLessThan(Math.max(...tally.heaps.slice(0, 3)) * 1.3 + 1);
  },
  long ? 3_600_000 : 120_000,
);
