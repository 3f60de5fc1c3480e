import type { Transferable } from '@threadbus/core';
import { describe } from '@threadbus/core/internal';

/** What is to move with the next result that it is in. */
const moving = new WeakSet();
/** Whether there ever was something: else no value has to be looked through. */
let used = false;

/**
 * Lets buffers of a handler's result move to the thread that waits for it, instead of being copied.
 *
 * It gives back the value itself, to be returned. Once the result is sent, the buffers are empty where the handler ran.
 * On a bus of the same thread nothing moves.
 *
 * @param buffers what is to move, such as `bytes.buffer`: array buffers, ports and streams that are in the value
 * @returns the value
 * @throws TypeError if `buffers` is no array of objects
 * @example
 * ```ts
 * // resize.js, in a pool's thread
 * export default async (event) => {
 *   const pixels = await resize(event.image);   // a Uint8Array of many megabytes
 *   return transfer({ pixels, width: 800 }, [pixels.buffer]);
 * };
 * ```
 */
export function transfer<T>(value: T, buffers: readonly Transferable[]): T {
  if (!Array.isArray(buffers)) {
    throw new TypeError(
      `Expected the buffers of transfer to be an array, such as [bytes.buffer]; got ${describe(buffers)}.`,
    );
  }
  for (const buffer of buffers as readonly unknown[]) {
    if (typeof buffer !== 'object' || buffer === null || ArrayBuffer.isView(buffer)) {
      throw new TypeError(
        `Expected each buffer of transfer to be what holds the bytes, such as bytes.buffer; got ${describe(buffer)}.`,
      );
    }
    moving.add(buffer);
    used = true;
  }
  return value;
}

/** What is in the value and was to move; it has moved once. Not deeper than others can read. */
export function takeMoving(value: unknown): Transferable[] {
  const found: Transferable[] = [];
  if (!used || typeof value !== 'object' || value === null) return found;
  const seen = new Set<object>([value]);
  for (const object of seen) {
    if (moving.delete(object)) found.push(object as Transferable);
    for (const member of membersOf(object)) if (typeof member === 'object' && member !== null) seen.add(member);
  }
  return found;
}

function membersOf(object: object): Iterable<unknown> {
  if (ArrayBuffer.isView(object)) return [object.buffer];
  if (object instanceof Map)
    return [...(object.keys() as Iterable<unknown>), ...(object.values() as Iterable<unknown>)];
  if (object instanceof Set) return object;
  try {
    return Object.values(object) as unknown[];
  } catch {
    // A getter has thrown: cloning will say so.
    return [];
  }
}
