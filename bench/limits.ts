import { retry } from '@threadbus/semaphore';
import Bottleneck from 'bottleneck';
import { bulkhead, handleAll, retry as cockatielRetry } from 'cockatiel';
import pRetry from 'p-retry';
import { contest } from './contest.ts';
import { check, type Contestant } from './scenario.ts';

/** How a function is wrapped; what comes of it is called. */
type Wrap = (work: () => Promise<void>) => () => Promise<unknown>;

/** Calls one after the other, none of which fails. */
function calls(wrap: Wrap): Contestant {
  return async (size, measure) => {
    let done = 0;
    const call = wrap(async () => void (done += 1));
    await measure(async () => {
      for (let i = 0; i < size; i += 1) await call();
    });
    check(done, size);
  };
}

/** All calls at once, ten of which may run. */
function limited(wrap: Wrap): Contestant {
  return async (size, measure) => {
    let [now, most, done] = [0, 0, 0];
    const call = wrap(async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      done += 1;
    });
    await measure(() => Promise.all(Array.from({ length: size }, () => call())));
    check(done, size);
    // Bottleneck is so busy with its queue that it has one at a time.
    check(Math.max(most, 10), 10);
  };
}

/**
 * All calls at once, at most a hundred of which start in a second. The figure is ms over what the rate allows.
 *
 * @param isKept it counts from when calls really started; one that goes by its plan is early after it was late
 */
function rated(wrap: Wrap, isKept: boolean): Contestant {
  return async (size) => {
    const starts: number[] = [];
    const call = wrap(async () => void starts.push(performance.now()));
    const began = performance.now();
    await Promise.all(Array.from({ length: size }, () => call()));
    check(starts.length, size);
    const early = starts.slice(100).filter((start, i) => start - (starts[i] ?? 0) < 990).length;
    if (isKept) check(early, 0);
    return performance.now() - began - 1000 * (Math.ceil(size / 100) - 1);
  };
}

const bottleneck =
  (options: Bottleneck.ConstructorOptions): Wrap =>
  (work) =>
    new Bottleneck(options).wrap(work);

/** Retries and limits beside those of p-retry, cockatiel and bottleneck, on the ground that they are made for. */
export const limits = contest('limits', [
  {
    name: 'a call that does not fail',
    unit: 'µs per call',
    ratio: '× as fast',
    size: 100_000,
    quick: 5000,
    contestants: {
      'threadbus, no timeout': calls((work) => retry({ timeout: null })(work)),
      threadbus: calls((work) => retry()(work)),
      'p-retry': calls((work) => () => pRetry(work)),
      cockatiel: calls((work) => {
        const policy = cockatielRetry(handleAll, { maxAttempts: 3 });
        return () => policy.execute(work);
      }),
    },
  },
  {
    name: 'limit of 10 over 10,000 calls',
    unit: 'µs per call',
    ratio: '× as fast',
    size: 10_000,
    quick: 1000,
    contestants: {
      threadbus: limited((work) => retry({ semaphoreLimit: 10, timeout: null })(work)),
      cockatiel: limited((work) => {
        const policy = bulkhead(10, Infinity);
        return () => policy.execute(work);
      }),
      bottleneck: limited(bottleneck({ maxConcurrent: 10 })),
    },
  },
  {
    name: '300 calls at 100 per second',
    unit: 'ms over the least that there can be',
    ratio: '× as much',
    size: 300,
    quick: 150,
    rounds: 3,
    contestants: {
      threadbus: rated((work) => retry({ timeout: null, rateLimit: { limit: 100, interval: 1 } })(work), true),
      // Its reservoir has no sliding window: a third of the calls start before their time. Evenly spaced ones keep to it, on a machine that is not busy.
      'bottleneck, minTime': rated(bottleneck({ minTime: 10 }), false),
    },
  },
]);
