import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { torture } from './torture.ts';
import { whyNoOtherUser } from './other-user.ts';

// The surroundings that the limit did not hold in once: another namespace's /proc, a machine that sleeps, a cleaned /tmp,
// calls in calls, several permits, several users. The controls have a fault planted that the witness must see there.

const unshare = ['--pid', '--fork', '--kill-child', 'true'];

function whyNot(scenario: string): string {
  if (scenario.endsWith('foreign-proc') && spawnSync('unshare', unshare).status !== 0) {
    return 'this machine does not permit unshare --pid';
  }
  return scenario === 'users' ? whyNoOtherUser() : '';
}

test.for(['control-rates', 'control-permits', 'control-nested', 'control-foreign-proc', 'control-suspended'])(
  'torture - the witness sees a planted fault: %s',
  { timeout: 60_000 },
  async (scenario, context) => {
    const why = whyNot(scenario);
    context.skip(why !== '', why);
    expect(await torture(scenario, scenario === 'control-suspended' ? 4 : 2)).toMatchObject({
      fine: true,
      violations: expect.not.closeTo(0) as number,
    });
  },
);

test.for([
  'permits',
  'nested',
  'rates',
  'rates-window',
  'rates-global',
  'foreign-proc',
  'suspended',
  'cleaned',
  'users',
])('torture - never more holders than the limit: %s', { timeout: 60_000 }, async (scenario, context) => {
  const why = whyNot(scenario);
  context.skip(why !== '', why);
  const outcome = await torture(scenario, 2);
  expect(outcome).toMatchObject({ fine: true, violations: 0 });
  expect(outcome.holds).toBeGreaterThan(5);
});
