import * as core from '@threadbus/core';
import { ownEntries } from './clone-path.ts';
import * as own from './errors.ts';
import type { WireError, WireValue } from './protocol.ts';

type ErrorClass = abstract new (...args: never[]) => Error;

const maxDepth = 8;

/** Classes that errors become again on this side: the language's, ours, and those that users add. */
const classes = new Map<string, ErrorClass>();
for (const Class of [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError]) {
  classes.set(Class.name, Class);
}
for (const Class of [...Object.values(core), ...Object.values(own)]) {
  if (typeof Class === 'function' && Class.prototype instanceof Error)
    classes.set(Class.prototype.name, Class as never);
}

/**
 * Lets errors of a class arrive from other threads as instances of it; call it in each thread that receives them.
 *
 * Without it they arrive as an Error (or as the nearest class that is known) with the same name, message, stack, cause
 * and fields. The class's constructor is not called.
 *
 * @throws TypeError for what is no class of errors
 * @example
 * ```ts
 * class PaymentError extends Error { override name = 'PaymentError'; }
 * registerErrorClass(PaymentError);
 * ```
 */
export function registerErrorClass(Class: ErrorClass): void {
  if (typeof Class !== 'function' || !(Class.prototype instanceof Error)) {
    throw new TypeError(`Expected registerErrorClass to get a class that extends Error; got ${String(Class)}.`);
  }
  classes.set(Class.name, Class);
}

/** A thrown thing as it travels. Fields that can't be cloned are left out: an error must always arrive. */
export function encodeThrown(thrown: unknown, depth = 0): WireValue {
  if (thrown instanceof Error) return { error: encodeError(thrown, depth) };
  return { value: cloneable(thrown) ? thrown : String(thrown) };
}

export function decodeThrown(wire: WireValue): unknown {
  return 'error' in wire ? decodeError(wire.error) : wire.value;
}

function encodeError(error: Error, depth: number): WireError {
  const skipped = new Set(['name', 'message', 'stack', 'cause', 'errors']);
  const fields = ownEntries(error).filter(([key, value]) => !skipped.has(key) && cloneable(value));
  const { cause, errors } = error as { cause?: unknown; errors?: unknown };
  const inner = depth < maxDepth;
  return {
    name: error.name,
    message: error.message,
    stack: typeof error.stack === 'string' ? error.stack : undefined,
    classes: classNames(error),
    fields: Object.fromEntries(fields),
    ...(inner && Object.hasOwn(error, 'cause') && { cause: encodeThrown(cause, depth + 1) }),
    ...(inner && Array.isArray(errors) && { errors: errors.map((each) => encodeThrown(each, depth + 1)) }),
  };
}

function decodeError(wire: WireError): Error {
  const Class = wire.classes.map((name) => classes.get(name)).find((known) => known !== undefined) ?? Error;
  const error = Object.create(Class.prototype as object) as Error;
  define(error, 'message', wire.message);
  define(error, 'stack', wire.stack);
  for (const [key, value] of Object.entries(wire.fields)) {
    Object.defineProperty(error, key, { value, enumerable: true, writable: true, configurable: true });
  }
  if (error.name !== wire.name) define(error, 'name', wire.name);
  if (wire.cause !== undefined) define(error, 'cause', decodeThrown(wire.cause));
  if (wire.errors !== undefined) define(error, 'errors', wire.errors.map(decodeThrown));
  return error;
}

/** As the language defines an error's own properties: there, but not in the way of those who list fields. */
function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, writable: true, configurable: true });
}

function classNames(error: Error): string[] {
  const names = [error.name];
  let prototype: unknown = Object.getPrototypeOf(error);
  while (typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype) {
    const { name } = (prototype as { constructor?: { name?: unknown } }).constructor ?? {};
    if (typeof name === 'string') names.push(name);
    prototype = Object.getPrototypeOf(prototype);
  }
  return names;
}

function cloneable(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false;
  if (typeof value !== 'object' || value === null) return true;
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
