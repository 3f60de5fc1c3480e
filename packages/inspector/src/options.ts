import { checkFlag, checkOptions, describe } from '@threadbus/core/internal';
import type { Redact } from './basics/redact.ts';

/** Options of `inspect`. */
export interface InspectOptions {
  /** On loopback; 0 = any that is free. @default 0 */
  readonly port?: number | undefined;
  /**
   * What is shown in place of a value: called as `redact('event.payload.user.token', value)` for payloads, results,
   * messages and stacks, containers before what is in them; arrays by index. What it throws hides the value. A URL names
   * a module whose default export it is, which every thread loads for itself; a function works here, and on what other
   * threads have left of what they tell. @default hides what is named as passwords, tokens, secrets, cookies, keys and
   * credentials are
   */
  readonly redact?: Redact | URL | undefined;
  /** The page may dispatch an event again, with its payload, on the bus that had it first. @default false */
  readonly write?: boolean | undefined;
  /** Open the page although `NODE_ENV` is `production`. @default false */
  readonly allowProduction?: boolean | undefined;
}

/** @throws TypeError or RangeError */
export function checkInspectOptions(options: InspectOptions): void {
  checkOptions('inspect', options, ['port', 'redact', 'write', 'allowProduction']);
  const { port, redact, write, allowProduction } = options;
  if (port !== undefined && typeof port !== 'number') {
    throw new TypeError(`Expected port of inspect to be a number from 0 to 65535; got ${describe(port)}.`);
  }
  if (port !== undefined && (!Number.isInteger(port) || port < 0 || port > 65_535)) {
    throw new RangeError(`Expected port of inspect to be a whole number from 0 to 65535; got ${port}.`);
  }
  if (redact !== undefined && typeof redact !== 'function' && !(redact instanceof URL)) {
    throw new TypeError(
      `Expected redact of inspect to be a function, (path, value) => …, or the URL of a module with one; got ${describe(redact)}.`,
    );
  }
  checkFlag('write', write);
  checkFlag('allowProduction', allowProduction);
}
