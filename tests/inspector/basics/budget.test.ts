import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Budget } from '../../../packages/inspector/dist/basics/budget.js';

test('budget - never more is sent than the rate and half a second of it, whatever happens', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 500 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 4000 }), steps, (rate, all) => {
      const budget = new Budget(rate);
      let sent = 0;
      let seconds = 0;
      for (const [wanted, milliseconds] of all) {
        for (let n = 0; n < wanted; n += 1) {
          budget.spend();
          if (budget.send()) sent += 1;
        }
        budget.refill(milliseconds / 1000);
        seconds += milliseconds / 1000;
      }
      expect(sent).toBeLessThanOrEqual(rate * seconds + rate / 2 + 1);
    }),
  );
});

test('budget - trees are picked before strays, children before trees, and credit is paid back first', () => {
  const budget = new Budget(200);
  expect([budget.roomForStray, budget.roomForTree, budget.roomForChild]).toEqual([true, true, true]);
  for (let n = 0; n < 30; n += 1) budget.spend();
  expect([budget.roomForStray, budget.roomForTree, budget.roomForChild]).toEqual([false, true, true]);
  for (let n = 0; n < 30; n += 1) budget.spend();
  expect([budget.roomForStray, budget.roomForTree, budget.roomForChild]).toEqual([false, false, true]);
  for (let n = 0; n < 140; n += 1) budget.spend();
  expect(budget.roomForChild).toBe(false);
  budget.refill(0.5);
  expect(budget.roomForChild).toBe(false);
  budget.refill(0.5);
  expect([budget.roomForStray, budget.roomForTree, budget.roomForChild]).toEqual([true, true, true]);
});

test('budget - what goes wrong has a share of its own; another rate keeps what is left of it', () => {
  const budget = new Budget(200);
  for (let n = 0; n < 500; n += 1) budget.spend();
  expect(budget.roomForTrouble).toBe(true);
  for (let n = 0; n < 10; n += 1) budget.spendTrouble();
  expect(budget.roomForTrouble).toBe(false);
  budget.refill(1);
  expect(budget.roomForTrouble).toBe(true);
  const other = new Budget(100);
  other.set(2000);
  expect(other.roomForStray).toBe(true);
});
