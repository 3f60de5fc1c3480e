import { type UUID, uuidv7obj } from 'uuidv7';

/**
 * A point in time in milliseconds since `origin`; 0 = not yet. Small enough for an integer that V8 keeps in the field
 * itself: milliseconds since 1970 would cost every event six more objects on the heap.
 */
export type Moment = number & { readonly since: 'origin' };

export const never = 0 as Moment;

/** A day before this module was loaded, so that what another thread did earlier is later than `never` too. */
const origin = Date.now() - 86_400_000;
const largest = 2 ** 31 - 1;

export function now(): Moment {
  return fromEpoch(Date.now());
}

export function toEpoch(moment: Moment): number {
  return moment + origin;
}

export function fromEpoch(epochMs: number): Moment {
  const ms = epochMs - origin;
  // The difference of two doubles stays a double until something makes an integer of it.
  return (ms >= -largest && ms <= largest ? ms | 0 : ms) as Moment;
}

/** As other threads are told: milliseconds since 1970, 0 for `never`. */
export function toWire(moment: Moment): number {
  return moment === never ? 0 : toEpoch(moment);
}

export function fromWire(epochMs: number): Moment {
  return epochMs === 0 ? never : fromEpoch(epochMs);
}

/** ISO 8601 in UTC with milliseconds; null for `never`. */
export function isoTime(moment: Moment): string | null {
  return moment === never ? null : isoText(moment);
}

/** The last second that was written out, which most moments around it share. */
let second = { starts: Number.NaN, text: '' };

/** The same for a moment that is none of those not yet come. */
export function isoText(moment: Moment): string {
  const epochMs = toEpoch(moment);
  const ms = epochMs - second.starts;
  if (!(ms >= 0 && ms < 1000)) {
    const whole = new Date(epochMs).toISOString();
    second = { starts: Math.floor(epochMs / 1000) * 1000, text: whole.slice(0, -4) };
    return whole;
  }
  return `${second.text}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}

/** A new UUIDv7: unique, and sorted by the time of its creation. */
export function newId(): string {
  return text(uuidv7obj());
}

/** Keeps the ids of two threads apart. */
const firstOrder = Math.floor(Math.random() * 2 ** 41);
let order = 0;

/** A number that is greater than all before it, and than 0. */
export function nextOrder(): number {
  order += 1;
  return order;
}

/**
 * The UUIDv7 of something that was made at that time, as the one with that order among those of this thread: so that
 * an id can be made long after the thing, when somebody first asks for it.
 */
export function idOf(madeAt: Moment, orderOf: number): string {
  const counted = firstOrder + orderOf;
  const high = Math.floor(counted / 2 ** 30) % 2 ** 12;
  const low = counted % 2 ** 30;
  const random = Math.floor(Math.random() * 2 ** 32);
  return `${idStart(madeAt, high)}${fourDigits(0x8000 + (low >>> 16))}-${fourDigits(low & 0xffff)}${fourDigits(random >>> 16)}${fourDigits(random & 0xffff)}`;
}

/** The first half of the last id: those of one millisecond have it in common. */
let start = { madeAt: never, high: -1, text: '' };

function idStart(madeAt: Moment, high: number): string {
  if (start.madeAt !== madeAt || start.high !== high) {
    const time = toEpoch(madeAt).toString(16).padStart(12, '0');
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

/** What `toString` gives, which builds it digit by digit: that would be a sixth of what an event allocates. */
function text({ bytes }: UUID): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
