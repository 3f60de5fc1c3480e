import { fileURLToPath } from 'node:url';
import { describe } from '../basics/describe.ts';

/** @returns the path of a log that was given as a path or as a `file:` URL @throws TypeError */
export function logPath(what: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
  if (value instanceof URL && value.protocol === 'file:') return fileURLToPath(value);
  throw new TypeError(
    `Expected ${what} to be the path of a file; got ${describe(value)}. A file: URL will do as well.`,
  );
}
