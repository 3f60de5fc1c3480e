import { describe } from './describe.ts';

/** What a number option may be given as: `null` and Infinity both mean "none". */
export type Limit = number | null;

/**
 * Checks a limit (`event_timeout`, sizes): a number above 0, or none.
 *
 * @returns the number, or `null` for "no limit".
 * @throws RangeError for 0, negative numbers and NaN; TypeError for anything that is no number.
 */
export function checkLimit(name: string, value: unknown): Limit {
  const limit = checkNumber(name, value);
  if (limit === null) return null;
  if (!(limit > 0)) throw new RangeError(`Expected ${name} to be above 0, or null for none; got ${limit}.`);
  return limit;
}

/** Checks a size that may be 0, such as the length of a history: a whole number, or none. */
export function checkSize(name: string, value: unknown): Limit {
  const size = checkNumber(name, value);
  if (size !== null && !(Number.isInteger(size) && size >= 0)) {
    throw new RangeError(`Expected ${name} to be a whole number from 0 up, or null for no limit; got ${size}.`);
  }
  return size;
}

/**
 * Checks the length of a wait in seconds: 0 looks once, absent or `null` waits without end.
 *
 * @throws RangeError for negative numbers and NaN; TypeError for anything that is no number.
 */
export function checkWait(name: string, value: unknown): Limit {
  const wait = checkNumber(name, value ?? null);
  if (wait !== null && !(wait >= 0)) {
    throw new RangeError(`Expected ${name} to be 0 (look once) or a number of seconds above it; got ${wait}.`);
  }
  return wait;
}

function checkNumber(name: string, value: unknown): Limit {
  if (value === null || value === Number.POSITIVE_INFINITY) return null;
  if (typeof value !== 'number') {
    throw new TypeError(`Expected ${name} to be a number or null; got ${describe(value)}.`);
  }
  return value;
}
