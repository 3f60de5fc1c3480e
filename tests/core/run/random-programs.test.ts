import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { programs } from '../../helpers/random-program.ts';
import { runProgram } from '../../helpers/random-program-run.ts';
import { noTally } from '../../helpers/random-program-tally.ts';

const count = Number(process.env['THREADBUS_PROGRAMS'] ?? 10_000);
/** Of one program, as a failure reports it: runs that one again. */
const path = process.env['THREADBUS_PATH'] ?? '';
/** Other programs each time on a developer's machine, the same ones in CI: a change is to be judged by its own merits. */
const seed = Number(
  process.env['THREADBUS_SEED'] ?? (process.env['CI'] === undefined ? Date.now() % 2 ** 31 : 424_242),
);

test(`random programs - ${count} programs keep the rules of dispatching, awaiting and completing`, async () => {
  console.log(`random programs: ${count} programs, seed ${seed} (THREADBUS_PROGRAMS, THREADBUS_SEED, THREADBUS_PATH)`);
  const total = noTally();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      const tally = await runProgram(program);
      run += 1;
      for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += tally[key];
    }),
    { numRuns: count, seed, path },
  );
  console.log(`random programs: ${run} passed; ${JSON.stringify(total)}`);
  if (path !== '') return;
  expect(run).toBeGreaterThanOrEqual(count);
  // Programs that do nothing would pass as well.
  expect(Object.values(total).every((number) => number > 0)).toBe(true);
}, 0);
