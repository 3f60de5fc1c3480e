const attempts = new WeakMap<object, number>();

/**
 * How many attempts a call made that ended with this error.
 *
 * Known for the very object that a function wrapped in `retry` threw, and of nested ones the outermost that did. `1`: it
 * was not retried. `0`: none was made, since there was no slot in time.
 *
 * @returns `undefined` for what no `retry` has thrown, and for what is no object
 * @example
 * ```ts
 * try {
 *   await fetchPage(url);
 * } catch (error) {
 *   console.log(`failed for good after ${retryAttempts(error)} attempts`);
 * }
 * ```
 */
export function retryAttempts(error: unknown): number | undefined {
  return isObject(error) ? attempts.get(error) : undefined;
}

/** @returns the error */
export function noteAttempts<Thrown>(error: Thrown, count: number): Thrown {
  if (isObject(error)) attempts.set(error, count);
  return error;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
