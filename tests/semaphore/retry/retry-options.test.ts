import { retry, Semaphore, type RetryOptions } from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { backoff } from '../../../packages/semaphore/dist/retry/backoff.js';
import { resolveRetryOptions } from '../../../packages/semaphore/dist/retry/resolve-options.js';

test('retry options - the defaults are those of bubus', () => {
  expect(resolveRetryOptions()).toEqual({
    wait: 3,
    retries: 3,
    timeout: 5,
    totalTimeout: null,
    backoffFactor: 1,
    maxWait: null,
    jitter: 0,
    scope: 'global',
    logger: console,
  });
  expect(resolveRetryOptions({ semaphoreLimit: 2 }).semaphore).toEqual({ limit: 2, timeout: 5, isLax: true });
});

test.each([
  [1, 5, 5],
  [2, 5, 5],
  [3, 5, 10],
  [10, 2, 18],
  [4, null, null],
  [4, Infinity, null],
])(
  'retry options - semaphoreTimeout defaults to max(timeout, timeout × (limit - 1)): %s, %s',
  (semaphoreLimit, timeout, wait) => {
    expect(resolveRetryOptions({ semaphoreLimit, timeout }).semaphore?.timeout).toBe(wait);
  },
);

type Backoff = Parameters<typeof backoff>[0];
/** With chance always at its most. */
const waits = (options: Partial<Backoff>, attempts = [1, 2, 3], random = 1): number[] =>
  attempts.map((attempt) =>
    backoff({ wait: 2, backoffFactor: 1, maxWait: null, jitter: 0, ...options }, attempt, new Error('x'), () => random),
  );

test('retry options - the wait after attempt k is wait × backoffFactor ** (k - 1)', () => {
  expect(waits({ backoffFactor: 1.5 })).toEqual([2, 3, 4.5]);
  expect(waits({})).toEqual([2, 2, 2]);
  expect(waits({ wait: 0, backoffFactor: 10 }, [401])).toEqual([0]);
  expect(Number.isFinite(waits({ wait: 1, backoffFactor: 10 }, [401])[0])).toBe(true);
});

test('retry options - maxWait cuts first, jitter then only shortens', () => {
  expect(waits({ backoffFactor: 10, maxWait: 5 })).toEqual([2, 5, 5]);
  expect(waits({ backoffFactor: 10, maxWait: 5, jitter: 0.5 })).toEqual([1, 2.5, 2.5]);
  expect(waits({ backoffFactor: 10, maxWait: 5, jitter: 0.5 }, [1, 2, 3], 0)).toEqual([2, 5, 5]);
  expect(waits({ jitter: 1 }, [1])).toEqual([0]);
  expect(resolveRetryOptions({ jitter: true }).jitter).toBe(1);
  expect(resolveRetryOptions({ jitter: false }).jitter).toBe(0);
});

test('retry options - wait as a function: factor, cap and jitter apply to what it gives', () => {
  const wait = ({ attempt }: { attempt: number }): number => attempt;
  expect(waits({ wait })).toEqual([1, 2, 3]);
  expect(waits({ wait, backoffFactor: 2 })).toEqual([1, 4, 12]);
  expect(waits({ wait, backoffFactor: 2, maxWait: 3, jitter: 0.5 }, [1, 2, 3], 1)).toEqual([0.5, 1.5, 1.5]);
  expect(waits({ wait: () => Infinity, maxWait: 7 })).toEqual([7, 7, 7]);
});

test.each([Number.NaN, -1, Infinity, '3', undefined, Promise.resolve(1)])(
  'retry options - a wait function that gives %s is a TypeError',
  (value) => {
    expect(() => waits({ wait: () => value as number })).toThrow(/Expected `wait` to give a number of seconds >= 0/);
  },
);

const refused: [keyof RetryOptions, unknown][] = [
  ['timeout', 0],
  ['timeout', -1],
  ['timeout', Number.NaN],
  ['wait', -1],
  ['wait', Number.NaN],
  ['wait', Infinity],
  ['retries', Number.NaN],
  ['retries', 1.5],
  ['totalTimeout', 0],
  ['totalTimeout', Number.NaN],
  ['maxWait', -1],
  ['maxWait', '1'],
  ['jitter', 1.1],
  ['jitter', -0.1],
  ['jitter', Number.NaN],
  ['jitter', 'full'],
  ['shouldRetry', true],
  ['onRetry', {}],
  ['signal', new AbortController()],
  ['semaphorePool', { limit: 1 }],
  ['rateLimit', 5],
  ['rateLimit', { limit: 1 }],
  ['rateLimit', { limit: 0, interval: 1 }],
  ['rateLimit', { limit: 1.5, interval: 1 }],
  ['rateLimit', { limit: 1, interval: 0 }],
  ['rateLimit', { limit: 1, interval: Infinity }],
  ['rateLimit', { limit: 1, interval: Number.NaN }],
  ['logger', {}],
  ['backoffFactor', -1],
  ['backoffFactor', Number.NaN],
  ['retryOn', 'TypeError'],
  ['retryOn', [42]],
  ['semaphoreLimit', 0],
  ['semaphoreLimit', -1],
  ['semaphoreLimit', 1.5],
  ['semaphoreLimit', Number.NaN],
  ['semaphoreTimeout', -1],
  ['semaphoreTimeout', Number.NaN],
  ['semaphoreScope', 'process'],
  ['semaphoreName', ''],
  ['semaphoreName', 7],
  ['semaphoreLax', 'no'],
  ['semaphoreDirectory', ''],
];

test.each(refused)(
  'retry options - %s: %s is refused when the function is wrapped, with what was expected',
  (name, value) => {
    expect(() => retry({ [name]: value })).toThrow(TypeError);
    expect(() => retry({ [name]: value })).toThrow(new RegExp(`^Expected \`${name}\` to be .*, got .*\\.$`));
  },
);

test('retry options - all problems are told at once', () => {
  expect(() => retry({ wait: -1, timeout: 0, semaphoreLimit: 0 })).toThrow(/`wait`[^]*`timeout`[^]*`semaphoreLimit`/);
});

test.each([
  ['timeout', null],
  ['timeout', Infinity],
  ['semaphoreLimit', null],
  ['semaphoreLimit', Infinity],
] as const)('retry options - %s: %s is no limit', (name, value) => {
  const resolved = resolveRetryOptions({ [name]: value });
  expect(name === 'timeout' ? resolved.timeout : resolved.semaphore).toBe(name === 'timeout' ? null : undefined);
});

test('retry options - semaphoreTimeout: 0 looks once, null and Infinity wait without limit', () => {
  const wait = (semaphoreTimeout: number | null): number | null | undefined =>
    resolveRetryOptions({ semaphoreLimit: 1, semaphoreTimeout }).semaphore?.timeout;
  expect([wait(0), wait(null), wait(Infinity)]).toEqual([0, null, null]);
});

test.each([
  ['semaphorelimit', 'semaphoreLimit'],
  ['semaphore_limit', 'semaphoreLimit'],
  ['max_attempts', undefined],
  ['retrys', 'retries'],
  ['retry', 'retries'],
  ['backoff_factor', 'backoffFactor'],
  ['backoff', 'backoffFactor'],
  ['rate', 'rateLimit'],
  ['semaphore', undefined],
])('retry options - `%s` is refused, with what was meant', (name, meant) => {
  expect(() => retry({ [name]: 1 })).toThrow(TypeError);
  expect(() => retry({ [name]: 1 })).toThrow(meant === undefined ? 'There are: wait,' : `Did you mean \`${meant}\`?`);
});

test('retry options - an unknown field of rateLimit is refused', () => {
  const rateLimit = { limit: 1, interval: 1, intervall: 2 };
  expect(() => retry({ rateLimit })).toThrow('Did you mean `interval`?');
});

test.each([
  [{ semaphoreLimit: 3 }, /to be the pool's limit of 2/],
  [{ semaphoreScope: 'global' as const }, /no `semaphoreScope` beside `semaphorePool`/],
  [{ semaphoreName: 'n' }, /no `semaphoreName` beside/],
  [{ semaphoreDirectory: '/tmp' }, /no `semaphoreDirectory` beside/],
])('retry options - beside semaphorePool %j is refused', (options, message) => {
  expect(() => retry({ semaphorePool: new Semaphore(2), ...options })).toThrow(message);
  expect(() => retry({ semaphorePool: new Semaphore(2), semaphoreLimit: 2 })).not.toThrow();
});
