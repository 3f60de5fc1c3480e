import { type AnyEvent, EventBus } from '@threadbus/core';
import { WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { countOf, type Plan, planEvent, type PlanStep, runPlan } from '../../fixtures/worker/plans.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { isolation } from '../../helpers/isolation.ts';
import { randomNumbers } from '../../fixtures/random-numbers.ts';

const count = Number(process.env['THREADBUS_PROGRAMS'] ?? 20);
const seed = Number(process.env['THREADBUS_SEED'] ?? Date.now() % 2 ** 30);
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

function randomPlan(random: () => number, depth: number, deadly: boolean): Plan {
  const steps = Array.from({ length: depth === 0 ? 0 : Math.floor(random() * 4) }, (): PlanStep => {
    const how = random() < 0.3 ? 'fire' : random() < 0.6 ? 'await' : 'together';
    return { to: Math.floor(random() * 6), how, plan: randomPlan(random, depth - 1, deadly) };
  });
  const dice = random();
  return { steps, end: deadly && dice < 0.02 ? 'exit' : dice > 0.9 ? 'throw' : 'value' };
}

/** A main bus and two threads that are reached over small windows. */
async function start(name: string): Promise<{ main: EventBus; threads: WorkerBus[] }> {
  const main = new EventBus({ name, maxPending: null, maxHistorySize: 0, logger: silent });
  const options = { parent: main, isolation: isolation(), maxInFlight: 1, restart: { limit: 1000, within: 1 } };
  const threads = await Promise.all([1, 2].map(() => WorkerBus.start(fixtureUrl('worker/plan-bus'), options)));
  main.on('Plan', async (event: AnyEvent) => runPlan(event as unknown as { plan: Plan }, [main, ...threads]));
  onTestFinished(async () => {
    for (const each of [...threads, main]) await each.stop();
  });
  return { main, threads };
}

test(`plans - ${count} random trees over main and two threads come to what they are planned to`, async () => {
  console.log(`plans: ${count} rounds, seed ${seed} (THREADBUS_PROGRAMS, THREADBUS_SEED)`);
  const { main, threads } = await start('PlansMain');
  for (let round = 0; round < count; round += 1) {
    const random = randomNumbers(seed + round);
    const plans = Array.from({ length: 6 }, () => randomPlan(random, 4, false));
    const sent = plans.map((plan, i) =>
      (i % 3 === 0 ? main : (threads[(i % 3) - 1] as WorkerBus)).dispatch(planEvent(plan)),
    );
    const values = await Promise.all(
      sent.map((dispatch) => dispatch.eventResult({ raiseIfAny: false, raiseIfNone: false })),
    );
    expect(
      values.map((value) => value ?? 0),
      `seed ${seed + round}`,
    ).toEqual(plans.map(countOf));
  }
  expect(await main.waitUntilIdle({ timeout: 20 })).toBe(true);
  expect(threads.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
}, 0);

test('plans - threads that end in the middle of them, and one that is stopped: every event settles', async () => {
  const { main, threads } = await start('DeadlyMain');
  for (let round = 0; round < count / 4; round += 1) {
    const random = randomNumbers(~(seed + round));
    const plans = Array.from({ length: 6 }, () => randomPlan(random, 4, true));
    const sent = plans.map((plan, i) => (threads[i % 2] as WorkerBus).dispatch(planEvent(plan)));
    await Promise.all(sent);
  }
  const last = threads.flatMap((thread) =>
    [1, 2, 3].map(() => thread.dispatch(planEvent(randomPlan(randomNumbers(seed), 4, false)))),
  );
  await threads[0]?.stop();
  await Promise.all(last);
  expect(await main.waitUntilIdle({ timeout: 20 })).toBe(true);
  expect(threads.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
}, 0);
