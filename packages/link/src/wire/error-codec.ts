import { describe, isBusError } from '@threadbus/core/internal';
import { ownEntries } from './clone-path.ts';
import { classOfError } from './error-classes.ts';
import { malformed } from './malformed.ts';
import { isNestedDeeper } from './nesting.ts';
import type { WireError, WireValue } from './protocol.ts';

/** Causes of causes beyond these are left out. */
const maxDepth = 16;
/** What an error has in a form of its own; everything else is a field. */
const ownForm = new Set(['name', 'message', 'stack', 'cause', 'errors']);

/**
 * A thrown thing as it travels. Whatever it is, this doesn't throw, and what it gives can be sent: an error must always
 * arrive. Fields that can't be cloned are left out. An error that is in it twice is there twice on the other side too.
 */
export function encodeThrown(thrown: unknown): WireValue {
  return encodeValue(thrown, 0, new Map());
}

/** @throws MalformedFrame for what `encodeThrown` doesn't give */
export function decodeThrown(wire: unknown): unknown {
  return decodeValue(wire, new Map());
}

/** The same for what can only be an error. */
export function decodeFailure(wire: unknown): Error {
  const thrown = decodeThrown(wire);
  return thrown instanceof Error ? thrown : new Error(describe(thrown));
}

function encodeValue(thrown: unknown, depth: number, known: Map<Error, WireError>): WireValue {
  try {
    if (thrown instanceof Error) return { error: known.get(thrown) ?? encodeError(thrown, depth, known) };
    return { value: cloneable(thrown) ? thrown : String(thrown) };
  } catch {
    // A proxy that was revoked, an object that has no text.
    return { value: 'something that can not be looked at' };
  }
}

function encodeError(error: Error, depth: number, known: Map<Error, WireError>): WireError {
  const { name, message, stack, cause, errors } = Object.fromEntries(
    [...ownForm].map((field) => [field, read(error, field)]),
  );
  const wire: { -readonly [Field in keyof WireError]: WireError[Field] } = {
    name: text(name) ?? 'Error',
    message: text(message) ?? '',
    stack: text(stack),
    ours: isBusError(error),
    classes: classNames(error),
    fields: Object.fromEntries(ownEntries(error).filter(([field, value]) => !ownForm.has(field) && cloneable(value))),
  };
  known.set(error, wire);
  if (depth >= maxDepth) return wire;
  if (Object.hasOwn(error, 'cause')) wire.cause = encodeValue(cause, depth + 1, known);
  if (Array.isArray(errors)) wire.errors = errors.map((each) => encodeValue(each, depth + 1, known));
  return wire;
}

function decodeValue(wire: unknown, known: Map<WireError, Error>): unknown {
  if (typeof wire === 'object' && wire !== null) {
    if ('error' in wire) return decodeError(wire.error, known);
    if ('value' in wire) return wire.value;
  }
  return malformed('an error');
}

function decodeError(wire: unknown, known: Map<WireError, Error>): Error {
  if (!isWireError(wire)) return malformed('an error');
  const before = known.get(wire);
  if (before !== undefined) return before;
  const error = emptyError(wire);
  known.set(wire, error);
  define(error, 'message', wire.message);
  define(error, 'stack', wire.stack);
  for (const [field, value] of Object.entries(wire.fields)) {
    Object.defineProperty(error, field, { value, enumerable: true, writable: true, configurable: true });
  }
  if (read(error, 'name') !== wire.name) define(error, 'name', wire.name);
  // A class of ours that this side doesn't have: of a newer version, or of another package.
  if (wire.ours && !isBusError(error)) define(error, Symbol.for('threadbus.error'), true);
  if (wire.cause !== undefined) define(error, 'cause', decodeValue(wire.cause, known));
  if (wire.errors !== undefined) {
    define(
      error,
      'errors',
      wire.errors.map((each) => decodeValue(each, known)),
    );
  }
  return error;
}

/** Of its class; the reason of a plain `abort()`, and of a signal for a time, has all it says in slots of its own. */
function emptyError({ classes, ours, name, message }: WireError): Error {
  const prototype = classOfError(classes, ours).prototype as object;
  if (ours || !classes.includes(DOMException.name)) return Object.create(prototype) as Error;
  const error = new DOMException(message, name);
  if (prototype instanceof DOMException) Object.setPrototypeOf(error, prototype);
  return error;
}

function isWireError(wire: unknown): wire is WireError {
  if (typeof wire !== 'object' || wire === null) return false;
  const { name, message, stack, ours, classes, fields, errors } = wire as Partial<WireError>;
  return (
    typeof name === 'string' &&
    typeof message === 'string' &&
    (stack === undefined || typeof stack === 'string') &&
    typeof ours === 'boolean' &&
    Array.isArray(classes) &&
    classes.every((each) => typeof each === 'string') &&
    typeof fields === 'object' &&
    fields !== null &&
    (errors === undefined || Array.isArray(errors))
  );
}

/** As the language defines an error's own properties: there, but not in the way of those who list fields. */
function define(error: Error, key: PropertyKey, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, writable: true, configurable: true });
}

/** Errors may have getters, and getters may throw. */
function read(error: Error, field: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[field];
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function classNames(error: Error): string[] {
  const names: string[] = [];
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
  if (isNestedDeeper(value)) return false;
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
