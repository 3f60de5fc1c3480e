// Handlers alone: a bus of this thread, and what they make of events.
import { EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import countPrimes from '../src/count-primes.js';
import { CountPrimes, GetVisits, Visited } from '../src/events.js';
import { registerVisits } from '../src/visits.js';

test('visits are counted by path', async () => {
  await using bus = new EventBus();
  registerVisits(bus);
  for (const path of ['/a', '/b', '/a']) bus.dispatch(new Visited({ path }));
  expect(await bus.dispatch(new GetVisits({})).eventResult()).toEqual({ '/a': 2, '/b': 1 });
});

test('primes are counted', () => {
  expect(countPrimes(new CountPrimes({ below: 100 }))).toBe(25);
});
