import { AttemptTimeoutError } from '../basics/errors.ts';
import type { RetryOn } from './retry-options.ts';

type ErrorClass = abstract new (...args: never[]) => Error;
type Predicate = (error: unknown) => boolean | PromiseLike<boolean>;

/** How far `cause` is followed; a cycle ends there, too. */
const DEEPEST_CAUSE = 16;

/** Whether an error is one of those that are retried; asks the functions among the entries, one after the other. */
export function isRetried(error: unknown, retryOn: readonly RetryOn[] | undefined): boolean | Promise<boolean> {
  if (retryOn === undefined || isListed(error, retryOn)) return true;
  const predicates = retryOn.filter((entry): entry is Predicate => isPredicate(entry));
  return predicates.length > 0 && asks(error, predicates);
}

/** The same without asking anyone: `undefined` if only that could tell. */
export function isKnownToBeRetried(error: unknown, retryOn: readonly RetryOn[] | undefined): boolean | undefined {
  if (retryOn === undefined || isListed(error, retryOn)) return true;
  return retryOn.some((entry) => isPredicate(entry)) ? undefined : false;
}

async function asks(error: unknown, predicates: readonly Predicate[]): Promise<boolean> {
  for (const predicate of predicates) if (await predicate(error)) return true;
  return false;
}

/** By class, name or code. */
function isListed(error: unknown, retryOn: readonly RetryOn[]): boolean {
  return retryOn.some((entry) => {
    if (typeof entry === 'string') return namesOf(error).includes(entry) || hasCode(error, entry);
    return isErrorClass(entry) && error instanceof entry;
  });
}

const isPredicate = (entry: RetryOn): boolean => typeof entry === 'function' && !isErrorClass(entry);

/** A class of errors is called with `new`; any other function is asked. */
function isErrorClass(entry: Exclude<RetryOn, string>): entry is ErrorClass {
  return (
    entry === Error || entry.prototype instanceof Error || /^class\b/.test(Function.prototype.toString.call(entry))
  );
}

/** Its own name, and those of the classes that it is of: `'Error'` stands for all errors. */
function namesOf(error: unknown): string[] {
  const names = error instanceof AttemptTimeoutError ? ['TimeoutError'] : [];
  if (error instanceof Error) names.push(error.name);
  for (let type: unknown = error; typeof type === 'object' && type !== null; type = Object.getPrototypeOf(type)) {
    if (typeof type.constructor === 'function') names.push(type.constructor.name);
  }
  return names;
}

/** Its own `code`, or that of what caused it: `fetch` fails with a TypeError, because of ECONNRESET. */
function hasCode(error: unknown, code: string): boolean {
  let cause = error;
  for (let depth = 0; depth <= DEEPEST_CAUSE && typeof cause === 'object' && cause !== null; depth++) {
    if ('code' in cause && cause.code === code) return true;
    cause = 'cause' in cause ? cause.cause : undefined;
  }
  return false;
}
