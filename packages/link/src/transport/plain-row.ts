import { endianness } from 'node:os';
import { headerSize, writeHeader } from './frame-reader.ts';

/*
 * Rows of plain values (texts, numbers, flags, null and undefined), as most frames are, in the bytes that V8's serialiser
 * makes of them: whichever of both has written a frame, either reads it. To make one of V8's costs 1.5 µs before it has
 * written anything, and what it leaves behind is the collector's to free; here a frame of one event is written in a third
 * of that, and read in a third of what V8's takes for it.
 *
 * In V8's words: a header, a dense array with its length, its values, the end of its array with the number of its named
 * properties and its length again. Each value is a tag, and what that needs. Lengths are seven bits a byte, lowest first.
 */
const version = 0x0f;
const tags = {
  version: 0xff,
  array: 0x41,
  arrayEnd: 0x24,
  integer: 0x49,
  double: 0x4e,
  latin1: 0x22,
  true: 0x54,
  false: 0x46,
  null: 0x30,
  undefined: 0x5f,
} as const;

/** V8 writes doubles as they stand in memory, which here is only done for what nearly all processors have. */
const isUsual = endianness() === 'LE';
/** Bytes; longer rows are V8's. */
const size = 65_536;
/** More than any value takes that is no text, with the end of the row. */
const margin = 32;
/** Up to here a text is written and read character by character sooner than by a call that does it. */
const short = 24;
/** Bits of a length in a byte, and the flag that more follow. */
const low = 0x7f;
const more = 0x80;

const scratch = Buffer.allocUnsafeSlow(size);
const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** Writes one row after the other, each a frame with its header. */
class PlainWriter {
  #at = 0;

  /** @returns null for what is no row of plain values, or a long one */
  write(row: readonly unknown[]): Buffer | null {
    this.#at = headerSize;
    this.#byte(tags.version);
    this.#byte(version);
    this.#byte(tags.array);
    this.#length(row.length);
    for (let i = 0; i < row.length; i += 1) if (this.#at > size - margin || !this.#value(row[i])) return null;
    this.#byte(tags.arrayEnd);
    this.#byte(0);
    this.#length(row.length);
    writeHeader(scratch, this.#at - headerSize);
    const frame = Buffer.allocUnsafe(this.#at);
    scratch.copy(frame, 0, 0, this.#at);
    return frame;
  }

  #value(value: unknown): boolean {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') this.#byte(value ? tags.true : tags.false);
    else if (value === null) this.#byte(tags.null);
    else if (value === undefined) this.#byte(tags.undefined);
    else return false;
    return true;
  }

  #number(value: number): void {
    // -0 is no integer to those who can tell.
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.#byte(tags.integer);
      this.#length(((value << 1) ^ (value >> 31)) >>> 0);
      return;
    }
    this.#byte(tags.double);
    double[0] = value;
    for (let i = 0; i < 8; i += 1) this.#byte(doubleBytes[i] as number);
  }

  /** @returns false for one with characters beyond Latin-1, or a long one beyond ASCII */
  #text(text: string): boolean {
    const { length } = text;
    if (this.#at + length + margin > size) return false;
    this.#byte(tags.latin1);
    this.#length(length);
    if (length > short) {
      // As many bytes as characters: it is ASCII.
      if (scratch.write(text, this.#at) !== length) return false;
      this.#at += length;
      return true;
    }
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i);
      if (code > 0xff) return false;
      this.#byte(code);
    }
    return true;
  }

  #length(length: number): void {
    let rest = length;
    for (; rest > low; rest >>>= 7) this.#byte((rest & low) | more);
    this.#byte(rest);
  }

  #byte(byte: number): void {
    scratch[this.#at] = byte;
    this.#at += 1;
  }
}

/** Reads one row after the other. What is behind the end is undefined, which no tag and no length is. */
class PlainReader {
  #bytes: Buffer = scratch;
  #at = 0;

  /** @returns undefined for what is no row of plain values: V8's may still read it */
  read(bytes: Buffer): unknown[] | undefined {
    this.#bytes = bytes;
    this.#at = 3;
    if (bytes[0] !== tags.version || bytes[1] !== version || bytes[2] !== tags.array) return undefined;
    const count = this.#length();
    if (!(count <= bytes.length)) return undefined;
    const row: unknown[] = [];
    for (let i = 0; i < count; i += 1) if (!this.#valueInto(row)) return undefined;
    const ends = this.#byte() === tags.arrayEnd && this.#length() === 0 && this.#length() === count;
    return ends && this.#at === bytes.length ? row : undefined;
  }

  #valueInto(row: unknown[]): boolean {
    const tag = this.#byte();
    if (tag === tags.latin1) return this.#textInto(row);
    if (tag === tags.integer) return this.#integerInto(row);
    if (tag === tags.double) row.push(this.#double());
    else if (tag === tags.true) row.push(true);
    else if (tag === tags.false) row.push(false);
    else if (tag === tags.null) row.push(null);
    else if (tag === tags.undefined) row.push(undefined);
    else return false;
    return true;
  }

  #integerInto(row: unknown[]): boolean {
    const zigzag = this.#length();
    if (Number.isNaN(zigzag)) return false;
    row.push((zigzag >>> 1) ^ -(zigzag & 1));
    return true;
  }

  #double(): number {
    for (let i = 0; i < 8; i += 1) doubleBytes[i] = this.#byte() ?? 0;
    return double[0] as number;
  }

  #textInto(row: unknown[]): boolean {
    const length = this.#length();
    const from = this.#at;
    this.#at += length;
    if (!(this.#at <= this.#bytes.length)) return false;
    row.push(this.#bytes.toString('latin1', from, this.#at));
    return true;
  }

  /** @returns NaN for what is none */
  #length(): number {
    let length = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      if (byte === undefined) return Number.NaN;
      length |= (byte & low) << shift;
      if (byte < more) return shift === 28 && byte > 0x0f ? Number.NaN : length >>> 0;
    }
    return Number.NaN;
  }

  #byte(): number | undefined {
    const byte = this.#bytes[this.#at];
    this.#at += 1;
    return byte;
  }
}

const writer = new PlainWriter();
const reader = new PlainReader();

/** The frame of a row of plain values, header and all; null for anything else, and for a long row. */
export function plainFrame(value: unknown): Buffer | null {
  return isUsual && Array.isArray(value) ? writer.write(value) : null;
}

/** The row of plain values that a frame is, without its header; undefined if it is another one. */
export function plainRow(bytes: Buffer): unknown[] | undefined {
  return isUsual ? reader.read(bytes) : undefined;
}
