import { types } from 'node:util';
import { serialize } from 'node:v8';
import { pathText } from '@threadbus/core/internal';
import { isNestedDeeper, maxNesting, tooDeep } from './nesting.ts';

/** Something in a value that can't cross a thread. */
export interface Unclonable {
  /** `opts.list[1].cb`; empty for the value itself. */
  readonly path: string;
  /** `function cb` */
  readonly what: string;
}

/** A path is there to be read. */
const longestPath = 12;

/**
 * Finds what keeps `value` from being copied; null if nothing does. Only asked after a copy has failed.
 *
 * Some things can be copied within a process, but not to another one.
 */
export function findUnclonable(value: unknown, path: readonly PropertyKey[] = []): Unclonable | null {
  return findUncopied(value, path) ?? find(value, copiesElsewhere, path, new Set());
}

/** The same, if it can't be copied within this process either. */
export function findUncopied(value: unknown, path: readonly PropertyKey[]): Unclonable | null {
  if (isNestedDeeper(value)) return { path: deepPath(value, path), what: tooDeep };
  return find(value, copiesHere, path, new Set());
}

/** Not deeper than `maxNesting`, so that it can recurse. */
function find(
  value: unknown,
  copies: (value: unknown) => boolean,
  path: readonly PropertyKey[],
  seen: Set<object>,
): Unclonable | null {
  if (copies(value)) return null;
  if (typeof value !== 'object' || value === null) return { path: pathText(path), what: describeKind(value) };
  if (seen.has(value)) return null;
  seen.add(value);
  for (const [key, member] of members(value)) {
    const found = find(member, copies, [...path, key], seen);
    if (found !== null) return found;
  }
  return { path: pathText(path), what: describeKind(value) };
}

/** Where it goes deeper than it may, as far as it is worth reading. */
function deepPath(value: unknown, from: readonly PropertyKey[]): string {
  const path = [...from];
  let at: unknown = value;
  for (let levels = maxNesting - 1; path.length < longestPath; levels -= 1) {
    const deep = members(at as object).find(([, member]) => isNestedDeeper(member, levels));
    if (deep === undefined) break;
    path.push(deep[0]);
    at = deep[1];
  }
  return `${pathText(path)}…`;
}

function copiesHere(value: unknown): boolean {
  return survives(value, structuredClone);
}

/** Shared memory is none of another process, though a copy of a view of it can be made. */
function copiesElsewhere(value: unknown): boolean {
  if (typeof value === 'object' && value !== null && contains(value, types.isSharedArrayBuffer)) return false;
  return survives(value, serialize);
}

function survives(value: unknown, copy: (value: unknown) => unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false;
  if (typeof value !== 'object' || value === null) return true;
  try {
    copy(value);
    return !contains(value, isDetached);
  } catch {
    return false;
  }
}

/** Node clones a buffer that was moved as an empty one: silently losing data is no way to cross a thread. */
export function isDetached(value: unknown): boolean {
  // Not by instanceof: a proxy that was revoked throws even at that.
  if (!types.isArrayBuffer(value) || value.byteLength > 0) return false;
  try {
    return new Uint8Array(value).byteLength > 0;
  } catch {
    return true;
  }
}

/** Whether it is, or holds, such a buffer. */
function contains(root: object, isSuch: (buffer: unknown) => boolean): boolean {
  const seen = new Set<object>([root]);
  for (const value of seen) {
    if (isSuch(ArrayBuffer.isView(value) ? value.buffer : value)) return true;
    if (ArrayBuffer.isView(value)) continue;
    for (const [, member] of members(value)) if (typeof member === 'object' && member !== null) seen.add(member);
  }
  return false;
}

/** None of what can't be looked at, as a proxy that was revoked. */
function members(value: object): readonly [PropertyKey, unknown][] {
  try {
    if (Array.isArray(value)) return value.map((member, i): [number, unknown] => [i, member]);
    if (value instanceof Map) return [...value].map(([key, member]): [string, unknown] => [keyText(key), member]);
    if (value instanceof Set) return [...value].map((member, i): [number, unknown] => [i, member]);
    return ownEntries(value);
  } catch {
    return [];
  }
}

/** Keys of a Map may be anything, what can't be made a text included. */
function keyText(key: unknown): string {
  return typeof key === 'string' || typeof key === 'number' ? `${key}` : typeof key;
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
  if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return `a ${typeof value}`;
  if (isDetached(value)) return 'a buffer that was moved before';
  if (ArrayBuffer.isView(value) && isDetached(value.buffer)) return 'a view of a buffer that was moved before';
  try {
    if (typeof value === 'function') return value.name === '' ? 'a function' : `function ${value.name}`;
    const { name } = (value.constructor ?? {}) as { readonly name?: unknown };
    return `an instance of ${typeof name === 'string' && name !== '' ? name : 'an unnamed class'}`;
  } catch {
    return `${typeof value === 'function' ? 'a function' : 'an object'} that can not be looked at`;
  }
}
