import { uuidv7obj } from 'uuidv7';
import { type Moment, never, now, toEpoch } from '../basics/clock.ts';

/** What the ids of one thread's events have in common: a thread that is told it can make them by their order. */
export interface IdOrigin {
  /** Added to the order: keeps the ids of two threads apart. */
  readonly first: number;
  /** Makes the last digits differ from one id to the next. */
  readonly salt: number;
}

/** All ids of a thread go on from one UUIDv7: its counter, less the highest bit, and its last digits. */
export const ownIds: IdOrigin = originOf(new DataView(uuidv7obj().bytes.buffer));

function originOf(first: DataView): IdOrigin {
  return {
    first: (first.getUint16(6) % 2 ** 11) * 2 ** 30 + (first.getUint32(8) % 2 ** 30),
    salt: first.getUint32(12),
  };
}

let order = 0;

/** A number that is greater than all before it, and than 0. */
export function nextOrder(): number {
  order += 1;
  return order;
}

/** A new UUIDv7: unique, and sorted by the time of its creation. */
export function newId(): string {
  return idOf(now(), nextOrder(), ownIds);
}

/**
 * The UUIDv7 of something that was made at that time, as the one with that order among those of its thread: so that
 * an id can be made long after the thing, when somebody first asks for it, and in another thread too.
 */
export function idOf(madeAt: Moment, orderOf: number, origin: IdOrigin): string {
  const counted = origin.first + orderOf;
  const high = Math.floor(counted / 2 ** 30) % 2 ** 12;
  const low = counted % 2 ** 30;
  const tail = tailOf(orderOf, origin);
  return `${idStart(madeAt, high)}${fourDigits(0x8000 + (low >>> 16))}-${fourDigits(low & 0xffff)}${fourDigits(tail >>> 16)}${fourDigits(tail & 0xffff)}`;
}

/** The last eight digits of an id, as a number: spread evenly, and another for each order. */
export function tailOf(orderOf: number, { salt }: IdOrigin): number {
  let mixed = (salt + orderOf) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** The same of an id as text. */
export function tailOfText(id: string): number {
  let tail = 0;
  for (let at = id.length - 8; at < id.length; at += 1) {
    const code = id.charCodeAt(at);
    // '0' is 48; letters of either case are 1 to 6 in their last four bits.
    tail = (tail << 4) | (code < 64 ? code & 15 : (code & 15) + 9);
  }
  return tail >>> 0;
}

/** The first half of the last id: those of one millisecond have it in common. */
let start = { madeAt: never, high: -1, text: '' };

function idStart(madeAt: Moment, high: number): string {
  if (start.madeAt !== madeAt || start.high !== high) {
    // 48 bits: from 1970 to the year 10889, whatever time an event was given.
    const time = Math.min(Math.max(Math.floor(toEpoch(madeAt)), 0), 2 ** 48 - 1)
      .toString(16)
      .padStart(12, '0');
    start = { madeAt, high, text: `${time.slice(0, 8)}-${time.slice(8)}-${fourDigits(0x7000 + high)}-` };
  }
  return start.text;
}

/** Two digits each, made once: from a UUID's bytes an id takes five times as long and as much memory. */
const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Four digits. */
function fourDigits(number: number): string {
  return (digits[number >>> 8] as string) + (digits[number & 0xff] as string);
}
