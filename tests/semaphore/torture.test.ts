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
  ['kill', 3],
  ['kill-window', 4],
  ['kill-blocked', 2],
  ['stop', 4],
  ['stop-window', 3],
  ['blocked', 5],
  ['threads', 3],
  ['global', 3],
  ['herd', 3],
  ['pid-reuse', 1],
  ['deleted', 3],
])(
  'torture - never more holders than the limit: %s',
  async (scenario, seconds) => {
    const outcome = await torture(scenario, seconds);
    expect(outcome).toMatchObject({ fine: true, violations: 0 });
    expect(outcome.holds).toBeGreaterThan(5);
  },
  60_000,
);
