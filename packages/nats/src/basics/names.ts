import { describe } from '@threadbus/core/internal';

const plain = /^[A-Za-z0-9_-]{1,64}$/;

/** Namespaces, queues: they become names of streams. @throws TypeError */
export function checkPlainName(what: string, value: unknown): string {
  if (typeof value === 'string' && plain.test(value)) return value;
  throw new TypeError(`Expected ${what} to be 1 to 64 letters (A-Z, a-z), digits, "_" or "-"; got ${describe(value)}.`);
}

/** @throws TypeError */
export function checkName(what: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= 256) return value;
  throw new TypeError(`Expected ${what} to be a text of 1 to 256 characters; got ${describe(value)}.`);
}

/** @throws TypeError */
export function checkEventId(value: unknown): string {
  if (typeof value === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) return value;
  throw new TypeError(`Expected the id of an event, such as event.event_id; got ${describe(value)}.`);
}

/** A name as one token of a subject, or as part of a key: what neither allows is written as "=" and two hex digits. */
export function encodeName(name: string): string {
  return [...Buffer.from(name)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9_-]/.test(char) ? char : `=${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}
