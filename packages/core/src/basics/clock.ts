/**
 * A point in time in milliseconds since `origin`; 0 = not yet. Small enough for an integer that V8 keeps in the field
 * itself: milliseconds since 1970 would cost every event six more objects on the heap.
 */
export type Moment = number & { readonly since: 'origin' };

export const never = 0 as Moment;

/** A day before this module was loaded, so that what another thread did earlier is later than `never` too. */
export const origin: number = Date.now() - 86_400_000;
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

/** The last minute that was read, which most moments around it share. */
let minute = { starts: Number.NaN, text: '' };
const minuteForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:$/;

/** The moment that a text as `isoText` gives it means; null if it is not quite like that. */
export function momentOfIso(text: string): Moment | null {
  if (text.length !== 24 || text[19] !== '.' || text[23] !== 'Z') return null;
  const seconds = digit(text, 17) * 10 + digit(text, 18);
  const ms = digit(text, 20) * 100 + digit(text, 21) * 10 + digit(text, 22);
  if (!(seconds < 60 && ms < 1000)) return null;
  const ofMinute = text.slice(0, 17);
  if (ofMinute !== minute.text) {
    const starts = minuteForm.test(ofMinute) ? Date.parse(`${ofMinute}00.000Z`) : Number.NaN;
    if (Number.isNaN(starts)) return null;
    minute = { starts, text: ofMinute };
  }
  return fromEpoch(minute.starts + 1000 * seconds + ms);
}

/** One of them; infinite if it is none. */
function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - 48;
  return value >= 0 && value <= 9 ? value : Number.POSITIVE_INFINITY;
}
