import { expect, test } from 'vitest';
import type { Order } from '../../../packages/inspector/dist/basics/messages.js';
import { Agents } from '../../../packages/inspector/dist/hub/agents.js';

/** What each agent was allowed last. */
function joined(
  agents: Agents,
  count: number,
): { readonly allowed: number[]; readonly states: ReturnType<Agents['join']>[] } {
  const allowed: number[] = [];
  const states = Array.from({ length: count }, (_each, at) =>
    agents.join(
      (order: Order) => {
        if (order.kind === 'budget') allowed[at] = order.records;
      },
      () => undefined,
    ),
  );
  return { allowed, states };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

test('budgets - all together never get more than 2,000, and most goes where most happens', () => {
  const agents = new Agents();
  const { allowed, states } = joined(agents, 3);
  agents.passed(0.1);
  expect(sum(allowed)).toBeLessThanOrEqual(2000);
  const [busy, calm] = states;
  if (busy !== undefined) busy.seen = 900;
  if (calm !== undefined) calm.seen = 100;
  agents.passed(1);
  expect(sum(allowed)).toBeLessThanOrEqual(2000);
  expect(allowed[0]).toBeGreaterThan(1500);
  expect(allowed[2]).toBeGreaterThanOrEqual(50);
});

test('budgets - a flood is noticed within a tenth of a second, gets an eighth, and is over when it is over', () => {
  const agents = new Agents();
  const { allowed, states } = joined(agents, 2);
  agents.passed(1);
  const [busy] = states;
  if (busy !== undefined) busy.seen = 10_000;
  agents.passed(0.1);
  expect(sum(allowed)).toBeGreaterThan(200);
  expect(sum(allowed)).toBeLessThanOrEqual(250);
  for (let second = 0; second < 3; second += 1) {
    if (busy !== undefined) busy.seen = 100_000;
    agents.passed(1);
    expect(sum(allowed)).toBeLessThanOrEqual(250);
  }
  if (busy !== undefined) busy.seen = 19_000;
  agents.passed(1);
  expect(sum(allowed)).toBeGreaterThan(1900);
});
