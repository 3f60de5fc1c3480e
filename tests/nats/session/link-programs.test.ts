import { expect, test } from 'vitest';
import { runLinkProgram } from './link-programs.ts';

/** `npm run torture:session` sets them. */
const programs = Number(process.env['THREADBUS_PROGRAMS'] ?? 150);
const first = Number(process.env['THREADBUS_SEED'] ?? 1);
const spoiled = { lost: 40, doubled: 40, late: 60, cut: 8 };

test('session - random programs of linked buses run once, in order, with their results, whatever the carrier does', async () => {
  for (let seed = first; seed < first + programs; seed += 1) {
    await runLinkProgram(seed, spoiled).catch((error: unknown) => {
      throw new Error(`THREADBUS_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    });
    if (seed % 1000 === 0) console.log(`${seed - first + 1} programs`);
  }
  expect(programs).toBeGreaterThan(0);
}, 0);
