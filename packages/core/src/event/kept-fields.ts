/** Fields of documents that this version knows nothing of: kept beside what they came with, and written again. */
const kept = new WeakMap<object, Readonly<Record<string, unknown>>>();
const none: Readonly<Record<string, unknown>> = {};

export function keepFields(owner: object, fields: Readonly<Record<string, unknown>>): void {
  for (const _name in fields) {
    kept.set(owner, fields);
    return;
  }
}

export function keptFields(owner: object): Readonly<Record<string, unknown>> {
  return kept.get(owner) ?? none;
}

/** Times that documents tell more exactly than they are kept here, as they were written. */
const exactTimes = new WeakMap<object, Readonly<Record<string, unknown>>>();
const exact = /\.\d{4}/;

export function keepTimes(owner: object, document: Readonly<Record<string, unknown>>): void {
  const times = Object.entries(document).filter(
    ([name, value]) => name.endsWith('_at') && typeof value === 'string' && exact.test(value),
  );
  if (times.length > 0) exactTimes.set(owner, Object.fromEntries(times));
}

/** The time as its document had it, if it is still that one. */
export function timeText(owner: object, name: string, time: string | null): string | null {
  const written = exactTimes.get(owner)?.[name];
  if (time === null || typeof written !== 'string') return time;
  return Date.parse(written) === Date.parse(time) ? written : time;
}
