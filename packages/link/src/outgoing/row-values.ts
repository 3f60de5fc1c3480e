import type { Transferable } from '@threadbus/core';
import { isNestedDeeper } from '../wire/nesting.ts';

/**
 * The values of an operation that is about to be written: all are read before anything of it is.
 *
 * They are the user's: to read one may call a getter, which may dispatch over the very link. Its events are written
 * first then, and rows that are read within another's, or before that has been written, stand behind what was read of
 * that.
 */
export class RowValues {
  readonly #values: unknown[] = [];
  /** Of each row that was read and has gone nowhere yet, where it begins and its size, the innermost last. */
  readonly #rows: number[] = [];
  #to = 0;

  /**
   * @param transfer what moves with them
   * @returns null; or why one of them can't be sent: there is nothing to move then
   */
  read(
    object: Readonly<Record<string, unknown>>,
    names: readonly string[],
    transfer: readonly Transferable[],
  ): Error | null {
    const from = this.#to;
    let size = 0;
    let failure: Error | null = null;
    try {
      for (const name of names) size += this.#add(object[name], transfer);
      if (size === Infinity) failure = new Error('It is nested too deep.');
    } catch {
      failure = new Error('A field could not be read.');
    }
    this.#rows.push(from, size);
    if (failure !== null) this.moveTo(null);
    return failure;
  }

  /**
   * The row that was read last goes to the end of a frame, or nowhere.
   * @returns about how many bytes it adds, in texts and buffers
   */
  moveTo(frame: unknown[] | null): number {
    const values = this.#values;
    const size = this.#rows.pop() as number;
    const from = this.#rows.pop() as number;
    for (let at = from; at < this.#to; at += 1) {
      frame?.push(values[at]);
      values[at] = undefined;
    }
    this.#to = from;
    return size;
  }

  /** @returns its weight */
  #add(value: unknown, transfer: readonly Transferable[]): number {
    this.#values[this.#to] = value;
    this.#to += 1;
    return weightOf(value, transfer);
  }
}

/**
 * About bytes of a text or a buffer; Infinity of what is nested too deep. What is moved isn't copied: several of them in
 * a frame cost hardly more than one, though not over a stream.
 */
function weightOf(value: unknown, transfer: readonly Transferable[]): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  if (!ArrayBuffer.isView(value)) return isNestedDeeper(value) ? Infinity : 0;
  return transfer.includes(value.buffer as ArrayBuffer) ? value.byteLength / 64 : value.byteLength;
}
