// A CPU-heavy handler in pool threads: the main thread stays free, and a handler that runs away is ended.
import { BaseEvent, EventBus, isHandlerTimeoutError } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { z } from 'zod';

const CountPrimes = BaseEvent.extend(
  'CountPrimes',
  { from: z.number(), below: z.number() },
  { result: z.number(), timeout: 30 },
);

await using bus = new EventBus({ name: 'Main', logger: { ...console, error: () => undefined } });
await using pool = new HandlerPool({ maxThreads: 2 });
bus.on(CountPrimes, pool.handler<number>(new URL('./count-primes.js', import.meta.url)));

// Four parts of one job, on two threads; meanwhile the main thread goes on with its own work.
let ticks = 0;
const ticking = setInterval(() => (ticks += 1), 5);
const parts = [0, 1, 2, 3].map((i) => new CountPrimes({ from: i * 500_000, below: (i + 1) * 500_000 }));
const counts = await Promise.all(parts.map((part) => bus.dispatch(part).eventResult()));
clearInterval(ticking);
console.log(`primes below 2,000,000: ${counts.reduce((sum, count) => sum + count, 0)}`);
console.log(`the main thread went on meanwhile: ${ticks > 1}`);

// A handler that would compute for ever: its thread is ended when its time is up, and replaced.
const endless = await bus.dispatch(new CountPrimes({ from: 0, below: 1e15 }, { event_timeout: 0.5 }));
const [result] = endless.event_results.values();
console.log(`the endless one: ${result?.status}, timed out: ${isHandlerTimeoutError(result?.error)}`);

const last = await bus.dispatch(new CountPrimes({ from: 0, below: 1000 })).eventResult();
console.log(`and the pool goes on: ${last} primes below 1,000`);
