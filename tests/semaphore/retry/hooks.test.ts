import {
  isAttemptTimeoutError,
  isSemaphoreTimeoutError,
  retry,
  retryAttempts,
  retryContext,
} from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { gate, settled } from '../gate.ts';
import { LogLines } from '../log-lines.ts';
import { uniqueName } from '../temporary-directory.ts';

const quiet = { logger: new LogLines(), wait: 0 };
const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

function failing(error: unknown = new Error('no')) {
  let calls = 0;
  return {
    fn: async (): Promise<void> => {
      calls++;
      throw error;
    },
    calls: () => calls,
  };
}

test('hooks - the order: retryOn, shouldRetry, wait, onRetry, the log, the wait; nothing after the last attempt', async () => {
  const told: unknown[] = [];
  const error = new Error('no');
  const { fn } = failing(error);
  const run = retry({
    retries: 2,
    retryOn: [
      (one) => {
        told.push(['retryOn', one === error]);
        return true;
      },
    ],
    shouldRetry: async (one, { attempt }) => {
      told.push(['shouldRetry', one === error, attempt]);
      return true;
    },
    wait: ({ attempt, error: one }) => {
      told.push(['wait', one === error, attempt]);
      return attempt / 1000;
    },
    backoffFactor: 2,
    onRetry: async ({ attempt, wait, error: one }) => {
      await settled();
      told.push(['onRetry', one === error, attempt, wait]);
    },
    logger: {
      warn: () => void told.push('warn'),
      error: () => void told.push('error'),
    },
  })(fn);
  expect(await caught(run())).toBe(error);
  expect(told).toEqual([
    ['retryOn', true],
    ['shouldRetry', true, 1],
    ['wait', true, 1],
    ['onRetry', true, 1, 0.001],
    ['retryOn', true],
    ['shouldRetry', true, 2],
    ['wait', true, 2],
    ['onRetry', true, 2, 0.004],
    'warn',
    'error',
  ]);
});

test('hooks - what retryOn refuses, shouldRetry is not asked about; both must agree', async () => {
  let asked = 0;
  const shouldRetry = (): boolean => {
    asked++;
    return false;
  };
  const refused = failing();
  await caught(retry({ ...quiet, retryOn: [TypeError], shouldRetry })(refused.fn)());
  expect([refused.calls(), asked]).toEqual([1, 0]);
  const asking = failing();
  await caught(retry({ ...quiet, shouldRetry })(asking.fn)());
  expect([asking.calls(), asked]).toEqual([1, 1]);
});

test.each([
  ['a predicate of retryOn', { retryOn: [() => Promise.reject(new RangeError('hook'))] }],
  ['shouldRetry', { shouldRetry: () => Promise.reject(new RangeError('hook')) }],
  ['onRetry', { onRetry: () => Promise.reject(new RangeError('hook')) }],
  [
    'wait',
    {
      wait: () => {
        throw new RangeError('hook');
      },
    },
  ],
])('hooks - what %s throws ends the call, and the slot is free', async (_, hook) => {
  const { fn, calls } = failing();
  const run = retry({ ...quiet, semaphoreLimit: 1, semaphoreTimeout: 5, semaphoreLax: false, ...hook })(fn);
  const errors = await Promise.all([caught(run()), caught(run())]);
  expect(errors).toEqual([new RangeError('hook'), new RangeError('hook')]);
  expect(calls()).toBe(2);
});

test('hooks - a signal ends a hook that never settles', async () => {
  const controller = new AbortController();
  const asked = gate();
  const { fn } = failing();
  const run = retry({
    ...quiet,
    signal: controller.signal,
    onRetry: () => {
      asked.open();
      return new Promise(() => {});
    },
  })(fn);
  const ended = caught(run());
  await asked.opened;
  controller.abort(new Error('stop'));
  expect(await ended).toEqual(new Error('stop'));
});

const coded = (code: unknown, cause?: unknown): Error => Object.assign(new Error('x', { cause }), { code });
const cycle = coded('A');
cycle.cause = cycle;

test.each([
  ['its own code', coded('ECONNRESET'), 3],
  ["a cause's code", new TypeError('fetch failed', { cause: coded('ECONNRESET') }), 3],
  ["a cause's cause's code", new Error('a', { cause: new Error('b', { cause: coded('ECONNRESET') }) }), 3],
  ['another code', coded('ENOENT'), 1],
  ['a number', coded(104), 1],
  ['causes in a circle', cycle, 1],
  ["a code of an AggregateError's errors", new AggregateError([coded('ECONNRESET')]), 1],
  ["a cause's name", new Error('x', { cause: new RangeError('y') }), 1],
])('retryOn - codes match along the causes: %s', async (_, error, expected) => {
  const { fn, calls } = failing(error);
  await caught(retry({ ...quiet, retries: 2, retryOn: ['ECONNRESET', '104', 'RangeError'] })(fn)());
  expect(calls()).toBe(expected);
});

test('retryOn - predicates may be async', async () => {
  const no = failing();
  await caught(retry({ ...quiet, retries: 2, retryOn: [async () => false] })(no.fn)());
  const yes = failing();
  await caught(retry({ ...quiet, retries: 2, retryOn: [async () => false, async () => true] })(yes.fn)());
  expect([no.calls(), yes.calls()]).toEqual([1, 3]);
});

test('retryAttempts - of the very error that was thrown', async () => {
  const error = Object.freeze(new Error('frozen'));
  await caught(retry({ ...quiet, retries: 2 })(failing(error).fn)());
  expect(retryAttempts(error)).toBe(3);
  const refused = new TypeError('no');
  await caught(retry({ ...quiet, retryOn: [RangeError] })(failing(refused).fn)());
  expect(retryAttempts(refused)).toBe(1);
  expect([retryAttempts(new Error('other')), retryAttempts('text'), retryAttempts(null)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('retryAttempts - nested: of the outermost; without a slot: 0', async () => {
  const error = new Error('deep');
  const inner = retry({ ...quiet, retries: 4 })(failing(error).fn);
  await caught(retry({ ...quiet, retries: 1 })(inner)());
  expect(retryAttempts(error)).toBe(2);
  const hold = gate();
  const run = retry({ ...quiet, semaphoreLimit: 1, semaphoreLax: false, semaphoreTimeout: 0 })(() => hold.opened);
  const first = run();
  const timeout = await caught(run());
  expect(isSemaphoreTimeoutError(timeout)).toBe(true);
  expect(retryAttempts(timeout)).toBe(0);
  hold.open();
  await first;
});

test('totalTimeout - a running attempt ends as by its own limit, caused by the error before it', async () => {
  const first = new Error('first');
  const run = retry({ ...quiet, timeout: null, totalTimeout: 0.05 })(async () => {
    if (retryContext().attempt === 1) throw first;
    await new Promise(() => {});
  });
  const error = await caught(run());
  expect(isAttemptTimeoutError(error)).toBe(true);
  expect(error).toMatchObject({ attempt: 2, timeout: 0.05, cause: first });
  expect(retryAttempts(error)).toBe(2);
});

test('totalTimeout - between attempts the error is thrown, at once if the wait can not end in time', async () => {
  const { fn, calls } = failing();
  let told = 0;
  const started = performance.now();
  await expect(retry({ ...quiet, wait: 60, totalTimeout: 30, onRetry: () => void told++ })(fn)()).rejects.toThrow('no');
  expect([calls(), told]).toEqual([1, 0]);
  expect(performance.now() - started).toBeLessThan(5000);
});

test('totalTimeout - while it waits for a slot: SemaphoreTimeoutError, also a lax one, and no run without a slot', async () => {
  const hold = gate();
  let calls = 0;
  const options = { ...quiet, semaphoreName: uniqueName(), semaphoreLimit: 1, timeout: null } as const;
  const first = retry(options)(() => hold.opened)();
  const run = retry({ ...options, semaphoreTimeout: null, totalTimeout: 0.05 })(() => calls++);
  const error = await caught(run());
  expect(isSemaphoreTimeoutError(error)).toBe(true);
  expect(error).toMatchObject({ timeout: 0.05 });
  expect([calls, retryAttempts(error)]).toEqual([0, 0]);
  hold.open();
  await first;
});

test('totalTimeout - a slot that is lax ends the wait earlier, and the attempt has what is left', async () => {
  const hold = gate();
  const run = retry({ ...quiet, semaphoreLimit: 1, semaphoreTimeout: 0.02, timeout: null, totalTimeout: 0.1 })(
    () => hold.opened,
  );
  const both = await Promise.all([caught(run()), caught(run())]);
  expect(both.map((error) => isAttemptTimeoutError(error))).toEqual([true, true]);
  hold.open();
});

test("signal - the options' and the last argument's both count; aborted already, nothing is called", async () => {
  const [own, given] = [new AbortController(), new AbortController()];
  let calls = 0;
  let named = 0;
  const run = retry({
    ...quiet,
    signal: own.signal,
    semaphoreLimit: 1,
    semaphoreName: () => {
      named++;
      return 'signal both';
    },
  })(async (options: { signal: AbortSignal }) => {
    calls++;
    expect(options.signal.aborted).toBe(false);
    await new Promise(() => {});
  });
  const first = caught(run({ signal: given.signal }));
  await settled();
  given.abort(new Error('given'));
  expect(await first).toEqual(new Error('given'));
  const second = caught(run({ signal: new AbortController().signal }));
  await settled();
  own.abort(new Error('own'));
  expect(await second).toEqual(new Error('own'));
  expect(await caught(run({ signal: new AbortController().signal }))).toEqual(new Error('own'));
  expect([calls, named]).toEqual([2, 2]);
});

test('logger - like pino: fields first; any other: the message first; a broken one breaks nothing', async () => {
  const lines: unknown[][] = [];
  const write = (...args: unknown[]): void => void lines.push(args);
  const error = new TypeError('no route');
  const pino = { warn: write, error: write, child: () => pino, bindings: () => ({}) };
  await caught(
    retry({ wait: 0, retries: 1, logger: pino })(async function named() {
      throw error;
    })(),
  );
  const fields = { err: error, attempt: 1, function: 'named' };
  expect(lines).toEqual([
    [fields, expect.stringContaining('named failed (attempt 1/2)')],
    [{ ...fields, attempt: 2 }, expect.stringContaining('named failed after 2 attempts')],
  ]);
  lines.length = 0;
  const plain = { warn: write, error: write };
  await caught(
    retry({ wait: 0, retries: 1, logger: plain })(async function named() {
      throw error;
    })(),
  );
  expect(lines.map(([message, given]) => [typeof message, given])).toEqual([
    ['string', fields],
    ['string', { ...fields, attempt: 2 }],
  ]);
  const broken = (): never => {
    throw new Error('disk full');
  };
  const run = retry({ wait: 0, retries: 1, logger: { warn: broken, error: broken } })(failing(error).fn);
  expect(await caught(run())).toBe(error);
});

test('logger - one that fails later breaks nothing either', async () => {
  const error = new TypeError('no route');
  const later = (): void => Promise.reject(new Error('disk full')) as never;
  // Nobody would hear of it: an unhandled rejection ends the process, and this test run.
  const run = retry({ wait: 0, retries: 1, logger: { warn: later, error: later } })(failing(error).fn);
  expect(await caught(run())).toBe(error);
});
