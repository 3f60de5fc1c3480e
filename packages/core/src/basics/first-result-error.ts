import { BusError, isBusError } from './errors.ts';

/** Another handler has answered an event that needs one result; the `cause` of the errors of those that lost. @example if (isFirstResultError(result.error?.cause)) continue;   // no failure */
export class FirstResultError extends BusError {
  static {
    this.prototype.name = 'FirstResultError';
  }
  override readonly code = 'ERR_FIRST_RESULT';
}

/** True for a FirstResultError, whichever copy of the package or thread it comes from. */
export function isFirstResultError(error: unknown): error is FirstResultError {
  return isBusError(error) && error.code === 'ERR_FIRST_RESULT';
}
