import { DefaultSerializer, deserialize } from 'node:v8';
import { UnserializableError } from '@threadbus/core';
import { cloneFailure } from '@threadbus/link/internal';
import { plainText, readPlainText } from './plain-text.ts';

/** How a value is written. */
const V8 = 0;
const TEXT = 1;

/** Bytes in front of a value: how many follow, what it is for, and how it is written. */
const prefix = 4;
const head = prefix + 2;

/** A serialiser whose failures are those of structured clone. */
class ValueSerializer extends DefaultSerializer {
  // Named by Node: what is thrown for a value that can't be copied.
  _getDataCloneError(message: string): DOMException {
    return new DOMException(message, 'DataCloneError');
  }
}

/** What `readValue` gives. */
export interface ReadValue {
  readonly channel: number;
  readonly value: unknown;
  /** Where the next one begins. */
  readonly end: number;
}

/**
 * A value as bytes, with their number in front and one byte that says what it is for: all that structured clone can
 * copy. What JSON can say is written as JSON, and the rest as V8 writes it.
 *
 * @param maxSize bytes at most
 * @throws DataCloneError for a value that can't be copied; UnserializableError for one that is too large
 */
export function encodeValue(channel: number, value: unknown, maxSize: number): Buffer {
  const text = Array.isArray(value) ? plainText(value) : null;
  const bytes = text === null ? encodeWithV8(value) : encodeText(text);
  const size = bytes.length - head;
  if (size > maxSize) {
    throw new UnserializableError(`too large: ${size} bytes, and maxEventBytes is ${maxSize}`, {}, '');
  }
  bytes.writeUInt32BE(bytes.length - prefix);
  bytes[prefix] = channel;
  bytes[prefix + 1] = text === null ? V8 : TEXT;
  return bytes;
}

/** Reads the value that begins there. @throws RangeError for what is not whole, else what is said of bytes that are none */
export function readValue(bytes: Buffer, at: number): ReadValue {
  const start = at + prefix;
  if (start > bytes.length) throw new RangeError('Expected the length of a value.');
  const end = start + bytes.readUInt32BE(at);
  if (end > bytes.length || end < at + head) throw new RangeError('Expected a whole value.');
  const isText = bytes[start + 1] === TEXT;
  const value: unknown = isText
    ? readPlainText(bytes.toString('utf8', at + head, end))
    : deserialize(bytes.subarray(at + head, end));
  return { channel: bytes[start] as number, value, end };
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(head + Buffer.byteLength(text));
  bytes.write(text, head);
  return bytes;
}

function encodeWithV8(value: unknown): Buffer {
  const serializer = new ValueSerializer();
  try {
    serializer.writeRawBytes(new Uint8Array(head));
    serializer.writeHeader();
    serializer.writeValue(value);
  } catch (error) {
    throw cloneFailure(error);
  }
  return serializer.releaseBuffer();
}
