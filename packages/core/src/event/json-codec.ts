import { errorText } from '../basics/describe.ts';
import { isUnserializableError, UnserializableError } from '../basics/errors.ts';
import { pathText } from './event-schema.ts';

/**
 * JSON for what JSON has no words for: `{ "$threadbus": "Map", "value": … }`.
 *
 * Tagged are Map, Set, Date, BigInt, typed arrays, ArrayBuffer, NaN, -0 and the infinities, undefined in a list, and
 * plain objects that happen to have a field called `$threadbus`. Everything else that JSON would empty is refused.
 */
const tag = '$threadbus';

const arrayTypes = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

/** More levels than that nobody can have written. */
const deepest = 100_000;
const oddNumbers = new Set(['NaN', 'Infinity', '-Infinity', '-0']);

/**
 * A copy of `value` that JSON can hold, or `value` itself if it is one already.
 *
 * @throws UnserializableError naming the path of what can't be written
 */
export function toJsonValue(value: unknown): unknown {
  if (isSurelyPlain(value)) return value;
  const path: PropertyKey[] = [];
  try {
    return encode(value, path, new Set());
  } catch (error) {
    if (isUnserializableError(error)) throw error;
    // The path is left as it was where it failed.
    if (isStackOverflow(error)) throw refusal(path.slice(0, 8), 'nested too deep');
    throw refusal(path, `something that fails when it is read: ${errorText(error)}`, error);
  }
}

/** What fails when it is looked at is left to those who know its path. */
function isSurelyPlain(value: unknown): boolean {
  try {
    return isPlainJson(value);
  } catch {
    return false;
  }
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.startsWith('Maximum call stack');
}

/**
 * Nothing in it needs a tag or is refused: true of most payloads, and quicker to find out than to look for paths. Needs no
 * stack, so that what is nested deep is left to JSON.stringify, which can do more than we.
 */
function isPlainJson(value: unknown): boolean {
  if (!isContainer(value)) return isJson(value);
  const seen = new Set<object>([value]);
  for (const container of seen) {
    if (Array.isArray(container)) {
      for (let i = 0; i < container.length; i += 1) if (!addPlain(container[i])) return false;
      continue;
    }
    if (Object.hasOwn(container, tag) || 'toJSON' in container) return false;
    for (const key of Object.keys(container)) if (!addPlain((container as Record<string, unknown>)[key])) return false;
  }
  return true;

  function addPlain(inner: unknown): boolean {
    if (isJson(inner)) return true;
    // One that stands in two places may be part of a circle.
    if (!isContainer(inner) || seen.has(inner)) return false;
    seen.add(inner);
    return true;
  }
}

/**
 * The inverse of `toJsonValue`; returns `value` itself where nothing is tagged, and never changes it.
 *
 * Needs no stack for what is nested: whatever could be written can be read.
 */
export function fromJsonValue(value: unknown): unknown {
  if (!isContainer(value)) return value;
  const nodes: Node[] = [{ source: value, above: null, key: '', depth: 0, changed: null }];
  for (const node of nodes) {
    const { source } = node;
    if (node.depth > deepest) throw new RangeError(`more than ${deepest} levels`);
    for (const key of Object.keys(source)) {
      const inner = (source as Record<string, unknown>)[key];
      if (isContainer(inner)) nodes.push({ source: inner, above: node, key, depth: node.depth + 1, changed: null });
    }
  }
  let whole: unknown = value;
  // The innermost first.
  for (let at = nodes.length - 1; at >= 0; at -= 1) {
    const { source, above, key, changed } = nodes[at] as Node;
    const decoded = decodeTags(changed === null ? source : copyWith(source, changed));
    if (decoded === source) continue;
    if (above === null) whole = decoded;
    else (above.changed ??= new Map()).set(key, decoded);
  }
  return whole;
}

/** A list or a plain object that is being decoded. */
interface Node {
  readonly source: object;
  readonly above: Node | null;
  readonly key: string;
  readonly depth: number;
  /** What became of its fields. */
  changed: Map<string, unknown> | null;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null && (Array.isArray(value) || isPlain(value));
}

function copyWith(source: object, changed: ReadonlyMap<string, unknown>): object {
  const entries = Object.entries(source).map(([key, field]): [string, unknown] => [
    key,
    changed.has(key) ? changed.get(key) : field,
  ]);
  return Array.isArray(source) ? entries.map(([, field]) => field) : Object.fromEntries(entries);
}

function decodeTags(value: object): unknown {
  if (Array.isArray(value) || !Object.hasOwn(value, tag) || !Object.hasOwn(value, 'value')) return value;
  return Object.keys(value).length === 2 ? decodeTagged(value as { [tag]: unknown; value: unknown }) : value;
}

function encode(value: unknown, path: PropertyKey[], above: Set<object>): unknown {
  if (typeof value === 'object') return value === null ? null : encodeObject(value, path, above);
  if (typeof value === 'number') return encodeNumber(value);
  if (typeof value === 'bigint') return tagged('BigInt', String(value));
  if (typeof value === 'function' || typeof value === 'symbol') throw refusal(path, `a ${typeof value}`);
  return value;
}

function encodeNumber(value: number): unknown {
  if (Object.is(value, -0)) return tagged('Number', '-0');
  return Number.isFinite(value) ? value : tagged('Number', String(value));
}

function encodeObject(value: object, path: PropertyKey[], above: Set<object>): unknown {
  if (above.has(value)) throw refusal(path, 'a reference back to an object that contains it');
  above.add(value);
  try {
    if (Array.isArray(value)) return encodeList(value, path, above);
    if (value instanceof Date) return tagged('Date', Number.isNaN(value.getTime()) ? null : value.toISOString());
    if (value instanceof Map) return tagged('Map', encodeList([...value].flat(), path, above));
    if (value instanceof Set) return tagged('Set', encodeList([...value], path, above));
    if (value instanceof ArrayBuffer) return tagged('ArrayBuffer', Buffer.from(value).toString('base64'));
    if (ArrayBuffer.isView(value)) return encodeView(value, path);
    if (hasToJson(value)) return encode(value.toJSON(), path, above);
    if (!isPlain(value)) throw refusal(path, `an instance of ${className(value)}`);
    return encodeFields(value, path, above);
  } finally {
    above.delete(value);
  }
}

function encodeList(list: readonly unknown[], path: PropertyKey[], above: Set<object>): readonly unknown[] {
  let changed: unknown[] | null = null;
  // By number, to see the holes of a sparse list.
  for (let i = 0; i < list.length; i += 1) {
    path.push(i);
    const item = list[i];
    const encoded = item === undefined ? tagged('Undefined', null) : encode(item, path, above);
    path.pop();
    if (!Object.is(encoded, item)) (changed ??= [...list])[i] = encoded;
  }
  return changed ?? list;
}

function encodeFields(value: object, path: PropertyKey[], above: Set<object>): object {
  let changed: Map<string, unknown> | null = null;
  for (const key of Object.keys(value)) {
    path.push(key);
    const field = (value as Record<string, unknown>)[key];
    const encoded = encode(field, path, above);
    path.pop();
    if (!Object.is(encoded, field)) (changed ??= new Map(Object.entries(value))).set(key, encoded);
  }
  if (Object.hasOwn(value, tag)) return tagged('Object', [...(changed ?? new Map(Object.entries(value)))]);
  return changed === null ? value : Object.fromEntries(changed);
}

/** What most fields are: something that JSON has words for and that needs no closer look. */
function isJson(value: unknown): boolean {
  return (
    typeof value === 'string' ||
    value === null ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0))
  );
}

function encodeView(view: ArrayBufferView, path: PropertyKey[]): unknown {
  const type = arrayTypes.find((candidate) => view instanceof candidate);
  if (type === undefined) throw refusal(path, `a ${className(view)}`);
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64');
  return tagged(Buffer.isBuffer(view) ? 'Buffer' : type.name, bytes);
}

function decodeTagged({ [tag]: type, value }: { [tag]: unknown; value: unknown }): unknown {
  if (Array.isArray(value)) return decodeTaggedList(type, value) ?? { [tag]: type, value };
  if (type === 'Date' && (value === null || typeof value === 'string')) return new Date(value ?? Number.NaN);
  if (type === 'Undefined' && value === null) return undefined;
  if (typeof value !== 'string') return { [tag]: type, value };
  if (type === 'Number') return oddNumbers.has(value) ? Number(value) : { [tag]: type, value };
  if (type === 'BigInt') return /^-?\d+$/.test(value) ? BigInt(value) : { [tag]: type, value };
  const bytes = Buffer.from(value, 'base64');
  if (type === 'Buffer') return bytes;
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  if (type === 'ArrayBuffer') return buffer;
  const ArrayType = arrayTypes.find(({ name }) => name === type);
  if (ArrayType === undefined || buffer.byteLength % ArrayType.BYTES_PER_ELEMENT !== 0) return { [tag]: type, value };
  return new ArrayType(buffer);
}

function decodeTaggedList(type: unknown, items: readonly unknown[]): object | null {
  if (type === 'Set') return new Set(items);
  if (type === 'Map' && items.length % 2 === 0) {
    const map = new Map<unknown, unknown>();
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
    return map;
  }
  const isEntry = (item: unknown): item is [string, unknown] => Array.isArray(item) && typeof item[0] === 'string';
  return type === 'Object' && items.every(isEntry) ? Object.fromEntries(items) : null;
}

function tagged(type: string, value: unknown): object {
  return { [tag]: type, value };
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function className(value: object): string {
  return (value.constructor as { name?: string } | undefined)?.name ?? 'an unnamed class';
}

function refusal(path: readonly PropertyKey[], what: string, cause?: unknown): UnserializableError {
  const where = pathText(path);
  return new UnserializableError(
    `Field ${where === '' ? '(the value itself)' : where} is ${what}, which can't be written as JSON. Leave it out of the event, or give it a toJSON() method.`,
    {},
    where,
    cause === undefined ? undefined : { cause },
  );
}
