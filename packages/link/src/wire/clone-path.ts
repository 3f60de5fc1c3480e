import { pathText } from '@threadbus/core/internal';

/** Something in a value that can't cross a thread. */
export interface Unclonable {
  /** `opts.list[1].cb`; empty for the value itself. */
  readonly path: string;
  /** `function cb` */
  readonly what: string;
}

/** Finds what keeps `value` from being cloned; null if nothing does. Only asked after a clone has failed. */
export function findUnclonable(
  value: unknown,
  path: readonly PropertyKey[] = [],
  seen: Set<object> = new Set(),
): Unclonable | null {
  if (clones(value)) return null;
  if (typeof value !== 'object' || value === null) return { path: pathText(path), what: describeKind(value) };
  if (seen.has(value)) return null;
  seen.add(value);
  for (const [key, member] of members(value)) {
    const found = findUnclonable(member, [...path, key], seen);
    if (found !== null) return found;
  }
  return { path: pathText(path), what: describeKind(value) };
}

function clones(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false;
  try {
    structuredClone(value);
    return !containsDetached(value);
  } catch {
    return false;
  }
}

/** Node clones a buffer that was moved as an empty one: silently losing data is no way to cross a thread. */
export function isDetached(value: unknown): boolean {
  if (!(value instanceof ArrayBuffer) || value.byteLength > 0) return false;
  try {
    return new Uint8Array(value).byteLength > 0;
  } catch {
    return true;
  }
}

function containsDetached(value: unknown, seen: Set<object> = new Set()): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return false;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return isDetached(value.buffer);
  return isDetached(value) || [...members(value)].some(([, member]) => containsDetached(member, seen));
}

function members(value: object): Iterable<[PropertyKey, unknown]> {
  if (Array.isArray(value)) return value.map((member, i): [number, unknown] => [i, member]);
  if (value instanceof Map) return [...value].map(([key, member]): [string, unknown] => [String(key), member]);
  if (value instanceof Set) return [...value].map((member, i): [number, unknown] => [i, member]);
  return ownEntries(value);
}

/** Stands for a field whose getter throws; like every symbol it can't be cloned. */
const unreadable = Symbol('a getter that throws');

/** As `Object.entries`, whatever getters do. */
export function ownEntries(value: object): [key: string, value: unknown][] {
  return Object.keys(value).map((key) => {
    try {
      return [key, (value as Record<string, unknown>)[key]];
    } catch {
      return [key, unreadable];
    }
  });
}

function describeKind(value: unknown): string {
  if (value === unreadable) return 'a getter that throws';
  if (typeof value === 'function') return value.name === '' ? 'a function' : `function ${value.name}`;
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  if (isDetached(value)) return 'a buffer that was moved before';
  return `an instance of ${(value.constructor as { name?: string } | undefined)?.name ?? 'an unnamed class'}`;
}
