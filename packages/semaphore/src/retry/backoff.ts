import { shown } from '../basics/seconds.ts';
import type { ResolvedRetryOptions } from './resolve-options.ts';

/** What the wait depends on. */
type BackoffOptions = Pick<ResolvedRetryOptions, 'wait' | 'backoffFactor' | 'maxWait' | 'jitter'>;

/**
 * Seconds to wait after an attempt that failed.
 *
 * @param attempt which one, from 1
 * @throws {TypeError} the `wait` function gave no number of seconds
 */
export function backoff(
  { wait, backoffFactor, maxWait, jitter }: BackoffOptions,
  attempt: number,
  error: unknown,
  random: () => number = Math.random,
): number {
  const first = typeof wait === 'function' ? asked(wait({ attempt, error }), maxWait) : wait;
  // Kept a number: 0 × Infinity is none, and no timer holds more.
  const longer = first === 0 ? 0 : Math.min(first * backoffFactor ** (attempt - 1), Number.MAX_SAFE_INTEGER);
  const capped = maxWait === null ? longer : Math.min(longer, maxWait);
  return jitter === 0 ? capped : capped * (1 - jitter * random());
}

function asked(seconds: unknown, maxWait: number | null): number {
  const isWait = typeof seconds === 'number' && seconds >= 0;
  if (isWait && (seconds !== Infinity || maxWait !== null)) return seconds;
  const infinity = seconds === Infinity ? ' (Infinity only under a `maxWait`)' : '';
  throw new TypeError(`Expected \`wait\` to give a number of seconds >= 0${infinity}, got ${shown(seconds)}.`);
}
