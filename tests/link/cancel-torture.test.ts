import { expect, test } from 'vitest';
import { CancelProgram } from '../helpers/cancel-program.ts';

/** They take longer than those without signals. */
const count = Math.ceil(Number(process.env['THREADBUS_PROGRAMS'] ?? 4000) / 20);
const seed = Number(
  process.env['THREADBUS_SEED'] ?? (process.env['CI'] === undefined ? Date.now() % 2 ** 30 : 424_242),
);

// Red on the code of before in one program of eleven, when what was cancelled on its way back was never answered.
test(
  'torture of links - signals, first results, streams and what breaks: all ends, and nothing runs twice',
  async () => {
    let dispatched = 0;
    for (let number = seed; number < seed + count; number += 1) {
      const program = new CancelProgram(number);
      await program.run();
      expect(program.violations, `program ${number}`).toEqual([]);
      dispatched += program.dispatched;
    }
    console.log(`torture of links: ${count} programs with signals from ${seed}, ${dispatched} events`);
  },
  60_000 + count * 500,
);
