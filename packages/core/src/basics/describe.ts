import { inspect, type InspectOptions } from 'node:util';
import { isOfOtherCopy, ofOtherCopy } from './copy.ts';

/** A short text for a value in an error message: what came, and of which kind. */
export function describe(value: unknown): string {
  try {
    const text = describeReadable(value);
    return isOfOtherCopy(value) ? `${text} ${ofOtherCopy}` : text;
  } catch {
    return `${typeof value === 'function' ? 'a function' : 'an object'} that can't be looked at, such as a revoked Proxy`;
  }
}

/** An Error that can be told: a Proxy may throw at any question, and a getter in place of the message, too. */
export function isReadableError(value: unknown): value is Error {
  try {
    return value instanceof Error && typeof `${value.name}: ${value.message}` === 'string';
  } catch {
    return false;
  }
}

/** What was thrown, as an error that can be told. */
export function asError(thrown: unknown): Error {
  return isReadableError(thrown) ? thrown : new Error(describe(thrown));
}

/** An error in a line of text, or what else was thrown. */
export function errorText(error: unknown): string {
  return isReadableError(error) ? `${error.name}: ${error.message}` : describe(error);
}

/** An error with its stack, or what else was thrown. */
export function stackText(error: unknown): string {
  try {
    if (error instanceof Error && typeof error.stack === 'string') return error.stack;
  } catch {
    // It can't be looked at.
  }
  return errorText(error);
}

/** As Node.js shows it; its own way of being shown may throw. */
export function shownText(value: unknown, options: InspectOptions): string {
  try {
    return inspect(value, options);
  } catch {
    return describe(value);
  }
}

function describeReadable(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string')
    return `the string ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : `an object (${className(value)})`;
  return `${inspect(value)} (${typeof value})`;
}

function className(value: object): string {
  const constructor: unknown = (value as { constructor?: unknown }).constructor;
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'Object';
}
