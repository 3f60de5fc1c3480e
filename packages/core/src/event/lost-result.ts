import { isHandlerAbortedError, isHandlerCancelledError } from '../basics/errors.ts';
import { isFirstResultError } from '../basics/first-result-error.ts';

/** The handler was ended, or kept from starting, because another one had answered: no failure. */
export function hasLost(error: unknown): boolean {
  return (isHandlerAbortedError(error) || isHandlerCancelledError(error)) && isFirstResultError(error.cause);
}
