import { checkOptions } from '../basics/options.ts';
import { readWait, shown } from '../basics/seconds.ts';
import type { SlotPool } from '../basics/slot-pool.ts';
import type { Rate } from '../rate/rate-limit.ts';
import type { RetryOptions, SemaphoreScope } from './retry-options.ts';

/** The limit part of the options, if there is a limit. */
export interface ResolvedLimit {
  readonly limit: number;
  readonly pool: SlotPool | undefined;
  readonly timeout: number | null;
  readonly isLax: boolean;
}

/** Every value is there, and checked. */
export interface ResolvedRetryOptions extends Pick<
  RetryOptions,
  'retryOn' | 'shouldRetry' | 'onRetry' | 'signal' | 'semaphoreName'
> {
  readonly wait: NonNullable<RetryOptions['wait']>;
  readonly retries: number;
  readonly timeout: number | null;
  readonly totalTimeout: number | null;
  readonly backoffFactor: number;
  readonly maxWait: number | null;
  readonly jitter: number;
  readonly scope: SemaphoreScope;
  readonly directory: string | undefined;
  readonly semaphore: ResolvedLimit | undefined;
  readonly rate: Rate | undefined;
  readonly logger: NonNullable<RetryOptions['logger']>;
}

const SCOPES: readonly string[] = ['global', 'class', 'self', 'multiprocess'] satisfies SemaphoreScope[];
const NAMES = Object.keys({
  wait: 0,
  retries: 0,
  timeout: 0,
  totalTimeout: 0,
  backoffFactor: 0,
  maxWait: 0,
  jitter: 0,
  retryOn: 0,
  shouldRetry: 0,
  onRetry: 0,
  signal: 0,
  semaphoreLimit: 0,
  semaphoreScope: 0,
  semaphoreName: 0,
  semaphoreTimeout: 0,
  semaphoreLax: 0,
  semaphoreDirectory: 0,
  semaphorePool: 0,
  rateLimit: 0,
  logger: 0,
} satisfies Record<keyof RetryOptions, number>);

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {TypeError} with every problem that there is
 */
export function resolveRetryOptions(options: RetryOptions = {}): ResolvedRetryOptions {
  if (typeof options === 'function') {
    throw new TypeError(
      `Expected the options of retry() to be an object, got ${shown(options)}: the function comes after them, retry(options)(fn).`,
    );
  }
  checkOptions('retry()', options, NAMES);
  const problems = [...problemsOf(options)];
  if (problems.length > 0) throw new TypeError(problems.join('\n'));
  const { wait = 3, retries = 3, timeout = 5, backoffFactor = 1, jitter = 0, totalTimeout, maxWait } = options;
  const perAttempt = finite(timeout);
  const { semaphorePool, semaphoreScope = 'global', semaphoreDirectory, rateLimit, logger = console } = options;
  return {
    wait,
    retries: Math.max(0, retries),
    timeout: perAttempt,
    totalTimeout: finite(totalTimeout),
    backoffFactor,
    maxWait: finite(maxWait),
    jitter: Number(jitter),
    retryOn: options.retryOn && [...options.retryOn],
    shouldRetry: options.shouldRetry,
    onRetry: options.onRetry,
    signal: options.signal,
    semaphoreName: options.semaphoreName,
    scope: semaphoreScope,
    directory: semaphoreDirectory,
    semaphore: resolveLimit(options, semaphorePool?.limit ?? finite(options.semaphoreLimit), perAttempt),
    rate: rateLimit && { limit: rateLimit.limit, interval: rateLimit.interval },
    logger,
  };
}

const finite = (value: number | null | undefined): number | null =>
  value === undefined || value === Infinity ? null : value;

function resolveLimit(
  options: RetryOptions,
  limit: number | null,
  perAttempt: number | null,
): ResolvedLimit | undefined {
  if (limit === null) return undefined;
  const { semaphorePool, semaphoreTimeout, semaphoreLax = true } = options;
  const timeout =
    semaphoreTimeout === undefined ? defaultWait(perAttempt, limit) : readWait('semaphoreTimeout', semaphoreTimeout);
  return { limit, pool: semaphorePool, timeout, isLax: semaphoreLax };
}

/** Long enough for everyone before to use up an attempt, if the calls come one after the other. As in bubus. */
function defaultWait(timeout: number | null, limit: number): number | null {
  return timeout === null ? null : Math.max(timeout, timeout * (limit - 1));
}

function* problemsOf(options: RetryOptions): Generator<string> {
  for (const [name, [isFine, expected]] of Object.entries(rules)) {
    const value = options[name as keyof RetryOptions];
    if (value !== undefined && !isFine(value)) yield `Expected \`${name}\` to be ${expected}, got ${shown(value)}.`;
  }
  const { semaphorePool, semaphoreLimit } = options;
  if (semaphorePool === undefined || !isPool(semaphorePool)) return;
  if (semaphoreLimit !== undefined && semaphoreLimit !== semaphorePool.limit) {
    yield `Expected \`semaphoreLimit\` to be the pool's limit of ${semaphorePool.limit}, got ${shown(semaphoreLimit)}: leave it out.`;
  }
  for (const name of ['semaphoreScope', 'semaphoreName', 'semaphoreDirectory'] as const) {
    if (options[name] === undefined) continue;
    yield `Expected no \`${name}\` beside \`semaphorePool\`, which says itself who shares it, got ${shown(options[name])}.`;
  }
}

const isNumber = (value: unknown, minimum: number): value is number => typeof value === 'number' && value >= minimum;
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isFinite = (value: unknown): boolean => isNumber(value, 0) && value !== Infinity;
const isLimit = (value: unknown): boolean => value === null || (isNumber(value, 0) && value > 0);
const isWait = (value: unknown): boolean => value === null || isNumber(value, 0);
const isSignal = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && isNumber(value, 1);

function isPool(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { acquire, limit } = value as Partial<SlotPool>;
  return typeof acquire === 'function' && isCount(limit);
}

function isRate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  checkOptions('`rateLimit`', value, ['limit', 'interval']);
  const { limit, interval } = value as Partial<Rate>;
  return isCount(limit) && isFinite(interval) && Number(interval) > 0;
}

function isLogger(value: unknown): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const { warn, error } = value as { warn?: unknown; error?: unknown };
  return typeof warn === 'function' && typeof error === 'function';
}

type Rule = readonly [isFine: (value: unknown) => boolean, expected: string];

const rules: Readonly<Partial<Record<keyof RetryOptions, Rule>>> = {
  wait: [(value) => isFinite(value) || isFunction(value), 'a number of seconds >= 0, or a function that gives one'],
  retries: [(value) => Number.isInteger(value) || value === Infinity, 'an integer, or Infinity'],
  timeout: [isLimit, 'seconds > 0, or null for no limit'],
  totalTimeout: [isLimit, 'seconds > 0, or null for no limit'],
  backoffFactor: [isFinite, 'a number >= 0'],
  maxWait: [isWait, 'a number of seconds >= 0, or null for no limit'],
  jitter: [
    (value) => typeof value === 'boolean' || (isFinite(value) && Number(value) <= 1),
    'a number from 0 to 1, or true',
  ],
  retryOn: [
    (value) => Array.isArray(value) && value.every((entry) => isFunction(entry) || isText(entry)),
    'a list of error classes, error names or codes, and functions',
  ],
  shouldRetry: [isFunction, 'a function'],
  onRetry: [isFunction, 'a function'],
  signal: [isSignal, 'an AbortSignal'],
  semaphoreLimit: [
    (value) => value === null || value === Infinity || isCount(value),
    'an integer >= 1, or null for no limit',
  ],
  semaphoreScope: [(value) => SCOPES.includes(value as string), `one of ${SCOPES.join(', ')}`],
  semaphoreName: [
    (value) => isText(value) || isFunction(value),
    'a text that is not empty, or a function that gives one',
  ],
  semaphoreTimeout: [isWait, 'a number of seconds >= 0, or null for no limit'],
  semaphoreLax: [(value) => typeof value === 'boolean', 'true or false'],
  semaphoreDirectory: [isText, 'a path'],
  semaphorePool: [isPool, 'a slot pool: what has `limit`, `acquire`, `tryAcquire` and `inspect`'],
  rateLimit: [isRate, '{ limit, interval }, an integer >= 1 and finite seconds > 0'],
  logger: [isLogger, 'an object with `warn` and `error`'],
};
