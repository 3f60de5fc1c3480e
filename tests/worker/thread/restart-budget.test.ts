import { expect, test } from 'vitest';
import { RestartBudget } from '../../../packages/worker/dist/thread/restart-budget.js';

const crash = { crashed: true, useful: false };
const afterWork = { crashed: true, useful: true };
const guilty = { crashed: false, useful: false };

test('restart budget - the first restart comes at once, the next after 0.1 s, each further one after twice the time', () => {
  const budget = new RestartBudget({ limit: 5, within: 30 });
  const delays = Array.from({ length: 6 }, (_, i) => budget.next(crash, 1000 * i));
  expect(delays).toEqual([0, 0.1, 0.2, 0.4, 0.8, null]);
});

test('restart budget - no restart waits longer than 30 s', () => {
  const budget = new RestartBudget({ limit: Infinity, within: 1000 });
  const delays = Array.from({ length: 12 }, (_, i) => budget.next(crash, 100 * i));
  expect(delays.slice(-4)).toEqual([12.8, 25.6, 30, 30]);
});

test('restart budget - restarts count for the time they are given', () => {
  const budget = new RestartBudget({ limit: 2, within: 10 });
  expect(budget.next(crash, 0)).toBe(0);
  expect(budget.next(crash, 1000)).toBe(0.1);
  expect(budget.next(crash, 9999)).toBeNull();
  expect(budget.next(crash, 10_000)).toBe(0.2);
  expect(budget.next(crash, 100_000)).toBe(0);
});

test('restart budget - an end for a handler that is known does not count', () => {
  const budget = new RestartBudget({ limit: 1, within: 30 });
  for (let i = 0; i < 20; i += 1) expect(budget.next(guilty, i)).toBe(0);
  expect(budget.next(crash, 21)).toBe(0);
  expect(budget.next(guilty, 22)).toBe(0);
  expect(budget.next(crash, 23)).toBeNull();
});

test('restart budget - a crash after useful work sets the count back', () => {
  const budget = new RestartBudget({ limit: 2, within: 30 });
  for (let i = 0; i < 20; i += 1) {
    expect(budget.next(crash, i)).toBe(0);
    expect(budget.next(crash, i)).toBe(0.1);
    expect(budget.next(afterWork, i)).toBe(0);
  }
});
