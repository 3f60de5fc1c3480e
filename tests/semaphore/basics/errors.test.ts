import * as semaphore from '@threadbus/semaphore';
import {
  AttemptTimeoutError,
  RetryContextError,
  SemaphoreLimitError,
  SemaphoreLostError,
  SemaphoreTimeoutError,
  SemaphoreUnavailableError,
} from '@threadbus/semaphore';
import { expect, test } from 'vitest';

const made = [
  new SemaphoreTimeoutError({ name: 'n', limit: 2, timeout: 0.5, scope: 'global' }),
  new SemaphoreUnavailableError('n', 'no space.', { path: '/slots', cause: new Error('ENOSPC') }),
  new SemaphoreLimitError('n', 3, 2),
  new SemaphoreLostError('n', '/slots/slot.0'),
  new AttemptTimeoutError('fetchPage', 2, 5),
  new RetryContextError(),
];
const guards = semaphore as unknown as Record<string, (error: unknown) => boolean>;

test.each(made)('errors - $name has a name, a code, a guard of its own, and is an Error', (error) => {
  const { name } = error;
  expect(error).toBeInstanceOf(Error);
  expect(error.code).toMatch(/^ERR_[A-Z_]+$/);
  expect(Object.prototype.toString.call(error)).toBe('[object Error]');
  expect(String(error)).toBe(`${name}: ${error.message}`);
  expect(made.filter((other) => guards[`is${name}`]?.(other))).toEqual([error]);
});

test.each(made)("errors - $name is known again after a crossing that keeps an error's own fields", (error) => {
  const copy = structuredClone(error) as Error;
  expect(guards[`is${error.name}`]?.(copy)).toBe(false);
  const { name, ...fields } = { ...error, name: error.name };
  expect(guards[`is${name}`]?.(Object.assign(copy, fields))).toBe(true);
});

test.each(made)('errors - $name is known again from another copy of the package', (error) => {
  const foreign = { [Symbol.for('threadbus.error')]: true, code: error.code };
  expect(guards[`is${error.name}`]?.(foreign)).toBe(true);
  expect(guards[`is${error.name}`]?.({ code: error.code })).toBe(false);
  for (const value of [undefined, null, 'text', {}, new Error('other')])
    expect(guards[`is${error.name}`]?.(value)).toBe(false);
});

test('errors - carry plain data, and the cause', () => {
  expect(made[0]).toMatchObject({ semaphore: 'n', limit: 2, timeout: 0.5, scope: 'global' });
  expect(made[1]).toMatchObject({ semaphore: 'n', path: '/slots', cause: { message: 'ENOSPC' } });
  expect(made[2]).toMatchObject({ semaphore: 'n', limit: 3, existing: 2 });
  expect(made[3]).toMatchObject({ semaphore: 'n', path: '/slots/slot.0' });
  expect(made[4]).toMatchObject({ function: 'fetchPage', attempt: 2, timeout: 5 });
});
