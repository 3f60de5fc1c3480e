import { expect, test } from 'vitest';
import { torture } from './torture.ts';

// A few seconds of each scenario; `npm run torture` is the long run. Real processes, killed, stopped and blocked at random,
// against an independent witness. The controls come first: they show that the witness catches a semaphore that leaks.

test.each(['control-herd', 'control-blocked'])(
  'torture - the witness catches plain proper-lockfile: %s',
  async (scenario) => {
    expect(await torture(scenario, 3)).toMatchObject({ fine: true, violations: expect.not.closeTo(0) as number });
  },
  60_000,
);

test.each([
  ['kill', 4],
  ['kill-window', 5],
  ['kill-blocked', 3],
  ['stop', 5],
  ['stop-window', 5],
  ['blocked', 6],
  ['threads', 4],
  ['global', 4],
  ['herd', 5],
  ['pid-reuse', 1],
  ['deleted', 4],
])(
  'torture - never more holders than the limit: %s',
  async (scenario, seconds) => {
    const outcome = await torture(scenario, seconds);
    expect(outcome).toMatchObject({ fine: true, violations: 0 });
    expect(outcome.holds).toBeGreaterThan(5);
  },
  60_000,
);
