import { expect, test } from 'vitest';
import { RestartBudget } from '../../../packages/worker/dist/thread/restart-budget.js';

test('restart budget - the first restart comes at once, each further one after twice the time', () => {
  const budget = new RestartBudget();
  expect(Array.from({ length: 6 }, (_, i) => budget.next(1000 * i))).toEqual([0, 0.05, 0.1, 0.2, 0.4, null]);
});

test('restart budget - restarts count for 30 s', () => {
  const budget = new RestartBudget();
  for (let i = 0; i < 5; i += 1) budget.next(1000 * i);
  expect(budget.next(29_999)).toBeNull();
  expect(budget.next(30_000)).toBe(0.4);
  expect(budget.next(30_001)).toBeNull();
  expect(budget.next(100_000)).toBe(0);
});
