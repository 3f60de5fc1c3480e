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
