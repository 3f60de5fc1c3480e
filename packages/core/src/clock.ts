import { uuidv7 } from 'uuidv7';

/** A new UUIDv7: unique, and sorted by the time of its creation. */
export function newId(): string {
  return uuidv7();
}

/** ISO 8601 in UTC with milliseconds; null for 0, which stands for "not yet". */
export function isoTime(epochMs: number): string | null {
  return epochMs === 0 ? null : new Date(epochMs).toISOString();
}
