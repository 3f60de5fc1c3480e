import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Budget } from '../../../packages/inspector/dist/basics/budget.js';

test('budget - never more is sent than the rate and half a second of it, whatever happens', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 500 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 4000 }), steps, (rate, all) => {
      const budget = new Budget(rate);
      let sent = 0;
      let seconds = 0;
      for (const [wanted, milliseconds] of all) {
        for (let n = 0; n < wanted; n += 1) {
          if (budget.takeTree()) budget.spend();
          if (budget.send()) sent += 1;
        }
        budget.refill(milliseconds / 1000, 0);
        seconds += milliseconds / 1000;
      }
      expect(sent).toBeLessThanOrEqual(rate * seconds + rate / 2 + 1);
    }),
  );
});

/** So many trees a second, each of so many records, for so long. @returns how many are picked in each second */
function flow(budget: Budget, trees: number, records: number, seconds: number): number[] {
  const picked: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    let count = 0;
    for (let beat = 0; beat < 10; beat += 1) {
      for (let n = 0; n < trees / 10; n += 1) {
        if (!budget.takeTree()) continue;
        count += 1;
        for (let each = 0; each < records; each += 1) budget.spend();
      }
      budget.refill(0.1, 0);
    }
    picked.push(count);
  }
  return picked;
}

test('budget - every tree is picked while all of them stay within the rate, also when they come at once', () => {
  expect(flow(new Budget(2000), 1000, 1, 5)).toEqual([1000, 1000, 1000, 1000, 1000]);
  expect(flow(new Budget(2000), 1000, 2, 5)).toEqual([1000, 1000, 1000, 1000, 1000]);
  const budget = new Budget(2000);
  for (let second = 0; second < 5; second += 1) {
    let picked = 0;
    for (let n = 0; n < 1000; n += 1) if (budget.takeTree()) picked += 1;
    for (let n = 0; n < picked; n += 1) budget.spend();
    for (let beat = 0; beat < 10; beat += 1) budget.refill(0.1, 0);
    expect(picked).toBe(1000);
  }
});

test('budget - of more, one in so many is picked, spread over the whole time, and as much as fits the rate', () => {
  for (const [trees, records] of [
    [10_000, 1],
    [100_000, 1],
    [500_000, 1],
    [100_000, 7],
  ] as const) {
    const budget = new Budget(500);
    flow(budget, trees, records, 3);
    const picked = flow(budget, trees, records, 10);
    for (const each of picked) {
      expect(each * records).toBeLessThan(500 * 1.5);
      expect(each * records).toBeGreaterThan(500 * 0.4);
    }
    // Not the first ones after each refill: of the next tenth of a second, those of its second half are picked, too.
    const places: number[] = [];
    for (let beat = 0; beat < 50; beat += 1) {
      for (let n = 0; n < trees / 10; n += 1) {
        if (!budget.takeTree()) continue;
        places.push(n / (trees / 10));
        for (let each = 0; each < records; each += 1) budget.spend();
      }
      budget.refill(0.1, 0);
    }
    const late = places.filter((place) => place > 0.5).length / places.length;
    expect(late).toBeGreaterThan(0.3);
    expect(late).toBeLessThan(0.7);
  }
});

test('budget - after a flood every tree is picked again; at its beginning no more than a second has left over', () => {
  const budget = new Budget(2000);
  flow(budget, 1000, 1, 2);
  const [first = 0] = flow(budget, 400_000, 1, 1);
  expect(first).toBeLessThan(2000 + 2000);
  flow(budget, 400_000, 1, 2);
  flow(budget, 1000, 1, 2);
  expect(flow(budget, 1000, 1, 2)).toEqual([1000, 1000]);
});

test('budget - children find room where no tree does, until all is spent; credit is paid back first', () => {
  const budget = new Budget(200);
  for (let n = 0; n < 101; n += 1) budget.spend();
  expect([budget.takeTree(), budget.roomForChild]).toEqual([false, true]);
  for (let n = 0; n < 124; n += 1) budget.spend();
  expect(budget.roomForChild).toBe(false);
  budget.refill(0.5, 0);
  expect(budget.roomForChild).toBe(false);
  budget.refill(0.5, 0);
  expect([budget.takeTree(), budget.roomForChild]).toEqual([true, true]);
});

test('budget - what goes wrong has half of it for itself; another rate keeps what is left of it', () => {
  const budget = new Budget(200);
  for (let n = 0; n < 500; n += 1) budget.spend();
  for (let n = 0; n < 100; n += 1) expect(budget.takeTrouble()).toBe(true);
  expect(budget.takeTrouble()).toBe(false);
  budget.refill(0.5, 0);
  for (let n = 0; n < 50; n += 1) expect(budget.takeTrouble()).toBe(true);
  expect(budget.takeTrouble()).toBe(false);
  const other = new Budget(100);
  other.set(2000);
  for (let n = 0; n < 1000; n += 1) if (other.takeTree()) other.spend();
  expect(other.takeTree()).toBe(true);
});

test('budget - a thread that is at work all the time gives a tenth of it at most, one that is idle more', () => {
  /** Each tree takes a tenth of a millisecond: of 2,000 a second, that is a fifth. */
  const picked = (idle: number): number => {
    const budget = new Budget(2000);
    let count = 0;
    for (let beat = 0; beat < 100; beat += 1) {
      for (let n = 0; n < 200; n += 1) {
        if (!budget.takeTree()) continue;
        count += 1;
        budget.spend();
        budget.took(0.1);
      }
      budget.refill(0.1, idle);
    }
    return count;
  };
  expect(picked(0) * 0.1).toBeLessThan(10_000 * 0.1);
  expect(picked(0) * 0.1).toBeGreaterThan(10_000 * 0.04);
  expect(picked(0.05)).toBe(20_000);
});
