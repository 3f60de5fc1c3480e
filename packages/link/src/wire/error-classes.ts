import * as core from '@threadbus/core/internal';
import { isBusError } from '@threadbus/core/internal';
import * as own from './errors.ts';
import { protocolVersion } from './protocol.ts';

/** What errors of other threads become again here. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** Classes by name. Those that bear our brand are for errors that bear it: names alone are anybody's. */
interface ErrorClasses {
  readonly branded: Map<string, ErrorClass>;
  readonly plain: Map<string, ErrorClass>;
}

/** Of this copy of the package, and of the core that it uses. */
const ours = new Map<string, ErrorClass>();
for (const Class of [...Object.values(core), ...Object.values(own)]) {
  if (typeof Class === 'function' && Class.prototype instanceof Error) ours.set(Class.name, Class as never);
}

const language = new Map<string, ErrorClass>();
for (const Class of [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError]) {
  language.set(Class.name, Class);
}

const key = Symbol.for(`threadbus.link.${protocolVersion}.error-classes`);

/** What was registered, in this thread, through any copy of the package. */
function registered(): ErrorClasses {
  const shared = globalThis as { [key]?: ErrorClasses };
  return (shared[key] ??= { branded: new Map(), plain: new Map() });
}

/**
 * Lets errors of a class arrive from other threads as instances of it; call it in each thread that receives them.
 *
 * Without it they arrive as an Error (or as the nearest class that is known) with the same name, message, stack, cause
 * and fields. The class's constructor is not called. All copies of threadbus in a thread share what is registered.
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
  const { branded, plain } = registered();
  (isBusError(Class.prototype) ? branded : plain).set(Class.name, Class);
}

/**
 * The class of an error that has come.
 *
 * @param names its classes there, the most special first
 * @param isOurs it bears our brand
 */
export function classOfError(names: readonly string[], isOurs: boolean): ErrorClass {
  const { branded, plain } = registered();
  for (const name of names) {
    const Class = isOurs ? (ours.get(name) ?? branded.get(name)) : plain.get(name);
    const found = Class ?? language.get(name);
    if (found !== undefined) return found;
  }
  return Error;
}
