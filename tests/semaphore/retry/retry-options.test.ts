import { retry, type RetryOptions } from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { backoff } from '../../../packages/semaphore/dist/retry/attempt-loop.js';
import { resolveRetryOptions } from '../../../packages/semaphore/dist/retry/retry-options.js';

test('retry options - the defaults are those of bubus', () => {
  expect(resolveRetryOptions()).toEqual({
    wait: 3,
    retries: 3,
    timeout: 5,
    backoffFactor: 1,
    retryOn: undefined,
    semaphore: undefined,
    logger: console,
  });
  expect(resolveRetryOptions({ semaphoreLimit: 2 }).semaphore).toEqual({
    limit: 2,
    scope: 'global',
    name: undefined,
    timeout: 5,
    isLax: true,
    directory: undefined,
  });
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

test('retry options - the wait before retry k is wait × backoffFactor ** k', () => {
  expect([0, 1, 2].map((k) => backoff({ wait: 2, backoffFactor: 1.5 }, k))).toEqual([2, 3, 4.5]);
  expect([0, 1, 2].map((k) => backoff({ wait: 2, backoffFactor: 1 }, k))).toEqual([2, 2, 2]);
  expect(backoff({ wait: 0, backoffFactor: 10 }, 400)).toBe(0);
  expect(Number.isFinite(backoff({ wait: 1, backoffFactor: 10 }, 400))).toBe(true);
});

const refused: [keyof RetryOptions, unknown][] = [
  ['timeout', 0],
  ['timeout', -1],
  ['timeout', Number.NaN],
  ['wait', -1],
  ['wait', Number.NaN],
  ['wait', Infinity],
  ['retries', Number.NaN],
  ['retries', 1.5],
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
