import type { BaseEvent } from '@threadbus/core';
import { payloadOf } from '@threadbus/core/internal';

/** Bytes of an event's own fields, and of a value that is no text or buffer, about. */
const fixed = 100;
const small = 8;

/** About the bytes that an event's payload takes on the wire, without making them. */
export function weightOf(event: BaseEvent): number {
  let bytes = fixed;
  const seen = new Set<object>();
  const open: unknown[] = [payloadOf(event)];
  while (open.length > 0) {
    const value = open.pop();
    bytes += small;
    if (typeof value === 'string') bytes += value.length;
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    if (ArrayBuffer.isView(value)) bytes += value.byteLength;
    else if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) bytes += value.byteLength;
    else bytes += openMembers(value, open);
  }
  return bytes;
}

/** @returns bytes of the names */
function openMembers(value: object, open: unknown[]): number {
  if (value instanceof Map) for (const [key, member] of value) open.push(key, member);
  else if (value instanceof Set || Array.isArray(value)) for (const member of value) open.push(member);
  else return openFields(value, open);
  return 0;
}

/** A field that can't be read fails when the event is sent, as any other that can't be copied. */
function openFields(value: object, open: unknown[]): number {
  let names = 0;
  try {
    for (const [name, member] of Object.entries(value)) {
      names += name.length;
      open.push(member);
    }
  } catch {
    return names;
  }
  return names;
}
