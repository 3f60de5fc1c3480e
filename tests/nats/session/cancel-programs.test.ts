import { expect, test } from 'vitest';
import { CancelProgram } from '../../helpers/cancel-program.ts';
import { LossyLinks } from './lossy-links.ts';

/** `npm run torture:session` sets them. */
const programs = Math.ceil(Number(process.env['THREADBUS_PROGRAMS'] ?? 150) / 5);
const first = Number(process.env['THREADBUS_SEED'] ?? 1);
const spoiled = { lost: 40, doubled: 40, late: 60, cut: 8 };

test('session - random programs with signals, first results, streams and what breaks end, and run nothing twice', async () => {
  let dispatched = 0;
  for (let seed = first; seed < first + programs; seed += 1) {
    const links = new LossyLinks(seed, spoiled);
    const program = new CancelProgram(seed, links);
    await program.run();
    const open = await links.close();
    expect([program.violations, open], `THREADBUS_SEED=${seed}`).toEqual([[], 0]);
    dispatched += program.dispatched;
  }
  console.log(`${programs} programs with signals from ${first}, ${dispatched} events`);
}, 0);
