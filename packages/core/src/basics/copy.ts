/** Each copy of the package has a value of its own there. */
const mark = Symbol.for('threadbus.core.copy');
const ours = {};

/** What a sentence says of a thing of another copy. */
export const ofOtherCopy =
  'of another copy of @threadbus/core: two are loaded, by two versions (see npm ls @threadbus/core) or by a bundler that takes in one package and leaves out another';

/**
 * Marks what has that prototype as made by this copy of the package.
 *
 * A program may load several, and a thing of one is none to the others, though it looks the same to whoever reads an
 * error about it.
 */
export function markOurs(prototype: object): void {
  Object.defineProperty(prototype, mark, { value: ours });
}

/** It is an event, an event class or a bus, and not one of this copy's. */
export function isOfOtherCopy(value: unknown): boolean {
  const bearer: unknown = typeof value === 'function' ? value.prototype : value;
  if (typeof bearer !== 'object' || bearer === null) return false;
  const copy = (bearer as { [mark]?: unknown })[mark];
  return copy !== undefined && copy !== ours;
}
