import {
  AttemptTimeoutError,
  isAttemptTimeoutError,
  isRetryContextError,
  retry,
  retryContext,
} from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { gate, settled } from '../gate.ts';
import { LogLines } from '../log-lines.ts';

const quiet = { logger: new LogLines(), wait: 0 };

/** Fails so many times, then gives its value. */
function failing(times: number, error: () => unknown = () => new Error('not yet')) {
  const calls: number[] = [];
  const fn = async (value: string): Promise<string> => {
    calls.push(performance.now());
    if (calls.length <= times) throw error();
    return value;
  };
  return { calls, fn };
}

test('retry - the first success ends it, and its value comes back', async () => {
  const { calls, fn } = failing(2);
  expect(await retry({ ...quiet, retries: 5 })(fn)('done')).toBe('done');
  expect(calls).toHaveLength(3);
});

test.each([
  [0, 1],
  [1, 2],
  [3, 4],
  [-2, 1],
])('retry - retries: %s gives at most %s calls', async (retries, expected) => {
  const { calls, fn } = failing(Infinity);
  await expect(retry({ ...quiet, retries })(fn)('')).rejects.toThrow('not yet');
  expect(calls).toHaveLength(expected);
});

test("retry - the last attempt's own error object is thrown", async () => {
  const errors = [new Error('first'), new Error('second'), new Error('third')];
  const { fn } = failing(3, () => errors.shift());
  const last = errors[2];
  await expect(retry({ ...quiet, retries: 2 })(fn)('')).rejects.toBe(last);
});

test('retry - what is thrown needs not be an Error', async () => {
  const { calls, fn } = failing(2, () => 'a text');
  expect(await retry({ ...quiet, retries: 2 })(fn)('done')).toBe('done');
  expect(calls).toHaveLength(3);
});

test('retry - waits between the attempts, longer each time with a backoffFactor', async () => {
  const { calls, fn } = failing(2);
  await retry({ ...quiet, wait: 0.05, backoffFactor: 2, retries: 2 })(fn)('');
  expect(Number(calls[1]) - Number(calls[0])).toBeGreaterThanOrEqual(49);
  expect(Number(calls[2]) - Number(calls[1])).toBeGreaterThanOrEqual(99);
});

test('retry - an attempt that takes too long fails with AttemptTimeoutError, and is tried again', async () => {
  const attempts: number[] = [];
  const slowTwice = retry({ ...quiet, timeout: 0.03, retries: 2 })(async function slowTwice() {
    const { attempt, signal } = retryContext();
    attempts.push(attempt);
    if (attempt < 3) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return attempt;
  });
  expect(await slowTwice()).toBe(3);
  expect(attempts).toEqual([1, 2, 3]);
});

test('retry - the attempt timeout says which function and attempt it was, and aborts the signal with itself', async () => {
  let reason: unknown;
  const stuck = retry({ ...quiet, timeout: 0.02, retries: 1 })(async function neverEnds() {
    const { signal } = retryContext();
    signal.addEventListener('abort', () => {
      reason = signal.reason;
    });
    await new Promise(() => {});
  });
  const error: unknown = await stuck().catch((thrown: unknown) => thrown);
  expect(error).toBe(reason);
  expect(isAttemptTimeoutError(error)).toBe(true);
  expect(error).toMatchObject({
    name: 'AttemptTimeoutError',
    code: 'ERR_ATTEMPT_TIMEOUT',
    function: 'neverEnds',
    attempt: 2,
    timeout: 0.02,
  });
});

test('retry - a late result or error of a timed-out attempt is dropped', async () => {
  const slow = gate();
  const fn = retry({ ...quiet, timeout: 0.02, retries: 1 })(async () => {
    if (retryContext().attempt === 2) return 'second';
    await slow.opened;
    throw new Error('too late');
  });
  expect(await fn()).toBe('second');
  slow.open();
  await settled();
});

test('retry - without a timeout an attempt takes as long as it takes', async () => {
  const slow = gate();
  const fn = retry({ ...quiet, timeout: null, retries: 0 })(() => slow.opened.then(() => 'done'));
  const result = fn();
  setTimeout(slow.open, 20);
  expect(await result).toBe('done');
});

test('retry - a timeout longer than a timer can hold is one', async () => {
  const slow = gate();
  const fn = retry({ ...quiet, timeout: 1e10, retries: 0 })(() => slow.opened.then(() => 'done'));
  const result = fn();
  setTimeout(slow.open, 20);
  expect(await result).toBe('done');
});

class NotFound extends Error {
  override readonly name = 'NotFound';
}

test.each([
  ['a class', [NotFound], 3],
  ['a base class', [Error], 3],
  ['a name', ['NotFound'], 3],
  ['the name of a base class', ['Error'], 3],
  ['a function', [(error: unknown) => error instanceof NotFound], 3],
  ['one of several', [TypeError, 'NotFound'], 3],
  ['another class', [TypeError], 1],
  ['another name', ['TypeError'], 1],
  ['a function that says no', [() => false], 1],
  ['an empty list', [], 1],
])('retry - retryOn with %s', async (_, retryOn, expected) => {
  const { calls, fn } = failing(Infinity, () => new NotFound('nothing there'));
  await expect(retry({ ...quiet, retries: 2, retryOn })(fn)('')).rejects.toThrow(NotFound);
  expect(calls).toHaveLength(expected);
});

test('retry - the first error that is not in retryOn is thrown at once, and leaves no line in the log', async () => {
  const logger = new LogLines();
  const errors = [new RangeError('1'), new SyntaxError('2'), new TypeError('3')];
  const { calls, fn } = failing(3, () => errors.shift());
  await expect(retry({ wait: 0, logger, retries: 2, retryOn: [RangeError, SyntaxError] })(fn)('')).rejects.toThrow(
    TypeError,
  );
  expect(calls).toHaveLength(3);
  expect(logger.errors).toEqual([]);
});

test.each([
  ['is not in the list', [TypeError], 1],
  ['is in the list', [AttemptTimeoutError], 3],
  ["is in the list as 'TimeoutError'", ['TimeoutError'], 3],
])('retry - an attempt timeout is retried only if it %s', async (_, retryOn, expected) => {
  let calls = 0;
  const stuck = retry({ ...quiet, timeout: 0.01, retries: 2, retryOn })(async () => {
    calls++;
    await new Promise(() => {});
  });
  await expect(stuck()).rejects.toThrow(AttemptTimeoutError);
  expect(calls).toBe(expected);
});

test.each([undefined, ['AbortError']])(
  "retry - an abort error that is not the caller's is retried like any other: retryOn %j",
  async (retryOn) => {
    const { calls, fn } = failing(Infinity, () => new DOMException('stop', 'AbortError'));
    await expect(retry({ ...quiet, retries: 5, retryOn })(fn)('')).rejects.toThrow('stop');
    expect(calls).toHaveLength(6);
  },
);

test('retry - an abort error is not retried where retryOn leaves it out', async () => {
  const { calls, fn } = failing(Infinity, () => new DOMException('stop', 'AbortError'));
  await expect(retry({ ...quiet, retries: 5, retryOn: [TypeError] })(fn)('')).rejects.toThrow('stop');
  expect(calls).toHaveLength(1);
});

test("retry - the last argument's signal ends a running attempt, and is not retried", async () => {
  const controller = new AbortController();
  const started = gate();
  let calls = 0;
  const fn = retry({ ...quiet, retries: 3 })(async (options: { signal: AbortSignal }) => {
    calls++;
    started.open();
    await new Promise(() => {});
    return options;
  });
  const result = fn({ signal: controller.signal });
  await started.opened;
  const reason = new Error('handler timed out');
  controller.abort(reason);
  await expect(result).rejects.toBe(reason);
  expect(calls).toBe(1);
});

test("retry - the last argument's signal ends the wait between two attempts", async () => {
  const controller = new AbortController();
  const { calls, fn } = failing(Infinity);
  const failed = gate();
  const wrapped = retry({ ...quiet, wait: 1000, retries: 3 })(async (
    text: string,
    options: { signal: AbortSignal },
  ) => {
    setImmediate(failed.open);
    return [await fn(text), options];
  });
  const result = wrapped('', { signal: controller.signal });
  await failed.opened;
  controller.abort(new Error('stopped'));
  await expect(result).rejects.toThrow('stopped');
  expect(calls).toHaveLength(1);
});

test('retry - a signal that has aborted before the call keeps the function from being called', async () => {
  const { calls, fn } = failing(0);
  const wrapped = retry(quiet)(async (text: string, options: { signal: AbortSignal }) => [await fn(text), options]);
  await expect(wrapped('', { signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early');
  expect(calls).toHaveLength(0);
});

test('retry - name, length, this and arguments are kept', async () => {
  async function add(this: { base: number }, a: number, b: number): Promise<number> {
    return this.base + a + b;
  }
  const wrapped = retry(quiet)(add);
  expect([wrapped.name, wrapped.length]).toEqual(['add', 2]);
  expect(await wrapped.call({ base: 1 }, 2, 3)).toBe(6);
});

test('retry - the wrapper of a sync function is async; it may throw in the first turn', async () => {
  let calls = 0;
  const parse = retry({ ...quiet, retries: 1 })((text: string): unknown => {
    calls++;
    return JSON.parse(text);
  });
  expect(await parse('{"a":1}')).toEqual({ a: 1 });
  await expect(parse('{')).rejects.toThrow(SyntaxError);
  expect(calls).toBe(3);
});

test('retry - decorates methods, static ones and private ones', async () => {
  class Flaky {
    static calls = 0;
    calls = 0;

    @retry({ ...quiet, retries: 2 })
    async run(value: string): Promise<string> {
      this.calls++;
      if (this.calls < 3) throw new Error('not yet');
      return `${value} ${this.calls}`;
    }

    @retry({ ...quiet, retries: 1 })
    static async run(): Promise<number> {
      this.calls++;
      if (this.calls < 2) throw new Error('not yet');
      return this.calls;
    }

    @retry({ ...quiet, retries: 0 })
    async #hidden(): Promise<string> {
      return `attempt ${retryContext().attempt}`;
    }

    reveal(): Promise<string> {
      return this.#hidden();
    }
  }
  const flaky = new Flaky();
  expect(await flaky.run('a')).toBe('a 3');
  expect(await Flaky.run()).toBe(2);
  expect(await flaky.reveal()).toBe('attempt 1');
  expect(flaky.run.name).toBe('run');
});

test('retry - anything but a function or a method is refused, with what to write instead', () => {
  expect(() => retry()('text' as never)).toThrow(
    /Expected retry\(\) to wrap a function.*got `"text"`.*retry\(options\)\(fn\)/,
  );
  const decorate = retry() as (value: unknown, context: unknown) => unknown;
  expect(() => decorate(function get() {}, { kind: 'getter', name: 'get' })).toThrow(/got getter/);
});

test('retry - a message that ends with its own full stop gets no second one', async () => {
  const logger = new LogLines();
  const fetching = retry({ wait: 0, retries: 1, logger })(async function fetchPage() {
    throw new TypeError('No route.');
  });
  await expect(fetching()).rejects.toThrow('No route.');
  expect(logger.warnings).toEqual([
    'fetchPage failed (attempt 1/2): TypeError: No route. Waiting 0.0s before retry...',
  ]);
});

test('retry - the function in place of the options: where it goes', () => {
  expect(() => retry((async () => 1) as never)).toThrow('the function comes after them, retry(options)(fn)');
});

test('retry - the log has one warning before the last retry, and one error when all failed', async () => {
  const logger = new LogLines();
  const fetching = retry({ wait: 0.01, retries: 2, logger })(async function fetchPage() {
    throw new TypeError('no route');
  });
  await expect(fetching()).rejects.toThrow('no route');
  expect(logger.warnings).toEqual([
    'fetchPage failed (attempt 2/3): TypeError: no route. Waiting 0.0s before retry...',
  ]);
  expect(logger.errors).toEqual([
    expect.stringMatching(/^fetchPage failed after 3 attempts over \d+\.\ds\. Final error: TypeError: no route$/),
  ]);
});

test('retry - without retries there is no warning, with a success no error', async () => {
  const logger = new LogLines();
  await expect(retry({ wait: 0, retries: 0, logger })(failing(1).fn)('')).rejects.toThrow('not yet');
  await retry({ wait: 0, retries: 3, logger })(failing(1).fn)('');
  expect(logger.warnings).toEqual([]);
  expect(logger.errors).toHaveLength(1);
});

test('retryContext - is found in nested functions and after awaits; nested wrappers have their own', async () => {
  const inner = retry({ ...quiet, retries: 1 })(async () => {
    const { attempt } = retryContext();
    if (attempt === 1) throw new Error('not yet');
    return attempt;
  });
  const outer = retry(quiet)(async () => {
    const before = retryContext();
    const innerAttempt = await inner();
    await settled();
    return { same: retryContext() === before, innerAttempt, attempt: retryContext().attempt, lease: before.lease };
  });
  expect(await outer()).toEqual({ same: true, innerAttempt: 2, attempt: 1, lease: null });
});

test('retryContext - outside a wrapped function it says so', () => {
  let error: unknown;
  try {
    retryContext();
  } catch (thrown) {
    error = thrown;
  }
  expect(isRetryContextError(error)).toBe(true);
  expect(error).toMatchObject({ name: 'RetryContextError', code: 'ERR_RETRY_CONTEXT' });
});
