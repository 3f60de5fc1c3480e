import { isReserved } from '@threadbus/core/internal';
import { malformed } from './malformed.ts';

/** The names of a plain object's fields: told to the other side once, so that such objects travel as a row of values. */
export interface Shape {
  /** At least 1: with 0 an object travels as it is. */
  readonly number: number;
  readonly names: readonly string[];
}

/** Names may be made up as a program runs: beyond so many shapes, objects of further ones travel as they are. */
export const maxShapes = 1024;
export const maxNames = 64;

/**
 * Knows the shapes that the other side has been told.
 *
 * An object in a message costs both threads about as much as ten plain values, most of it for the names of its fields.
 */
export class ShapeWriter {
  readonly #known = new Map<string, Shape>();
  readonly #byNumber: Shape[] = [];
  readonly #define: (number: number, names: readonly string[]) => void;

  /** @param define told before a shape is first used */
  constructor(define: (number: number, names: readonly string[]) => void) {
    this.#define = define;
  }

  /**
   * @param guess the shape of the last such object, which is mostly that of the next
   * @returns null if such an object has to travel as it is
   */
  of(names: readonly string[], guess: Shape | null): Shape | null {
    if (guess !== null && isSame(guess.names, names)) return guess;
    // One of that name can't be set like others.
    if (names.length > maxNames || names.includes('__proto__')) return null;
    const key = JSON.stringify(names);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size === maxShapes) return null;
    const shape = { number: this.#known.size + 1, names };
    this.#known.set(key, shape);
    this.#byNumber[shape.number] = shape;
    this.#define(shape.number, names);
    return shape;
  }

  /** A value that was to be sent, from its row. */
  read(shape: number, row: readonly unknown[], from: number): unknown {
    return readValue(this.#byNumber[shape]?.names, row, from);
  }
}

/** The value whose shape that is, from the row that begins at `from`. */
function readValue(names: readonly string[] | undefined, row: readonly unknown[], from: number): unknown {
  if (names === undefined) return row[from];
  const object: Record<string, unknown> = {};
  let at = from;
  for (const name of names) {
    object[name] = row[at];
    at += 1;
  }
  return object;
}

/** What the other side has told of its shapes. */
export class ShapeReader {
  readonly #shapes: { readonly names: readonly string[]; readonly ofPayload: boolean }[] = [];

  /** @throws MalformedFrame for 0, which stands for values without a shape */
  define(number: number, names: readonly string[]): void {
    if (number === 0) malformed('a SHAPE');
    this.#shapes[number] = { names, ofPayload: !names.some(isReserved) };
  }

  /**
   * The fields of a payload of that shape.
   *
   * @throws MalformedFrame if there is no such shape, or none of a payload with so many fields
   */
  payloadNames(number: number, count: number): readonly string[] {
    const shape = this.#shapes[number];
    if (shape === undefined || !shape.ofPayload || shape.names.length !== count)
      return malformed('the payload of an EVENT');
    return shape.names;
  }

  /**
   * The value whose shape that is, from the row of so many values that begins at `from`.
   *
   * @throws MalformedFrame if there is no such shape, or the row has not so many values
   */
  read(number: number, row: readonly unknown[], from: number, count: number): unknown {
    const names = this.#shapes[number]?.names;
    if (number === 0 ? count !== 1 : names?.length !== count) return malformed('the value of a RESULT');
    return readValue(names, row, from);
  }
}

/** Whether an object comes out of a row as structured clone would give it: what has objects in it may be one of them. */
export function fitsRow(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false;
  try {
    for (const name in value) {
      const member = (value as Readonly<Record<string, unknown>>)[name];
      if (typeof member === 'object' && member !== null) return false;
    }
    return true;
  } catch {
    // A getter has thrown: cloning will say so.
    return false;
  }
}

/** Whether the object has these fields, in this order. Makes no list of them: that of each event costs the collector. */
export function hasShape(object: object, shape: Shape | null): shape is Shape {
  if (shape === null) return false;
  const { names } = shape;
  let at = 0;
  for (const name in object) {
    if (names[at] !== name) return false;
    at += 1;
  }
  return at === names.length;
}

function isSame(names: readonly string[], others: readonly string[]): boolean {
  if (names.length !== others.length) return false;
  for (let at = 0; at < names.length; at += 1) if (names[at] !== others[at]) return false;
  return true;
}
