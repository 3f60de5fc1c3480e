import { DefaultSerializer, deserialize } from 'node:v8';
import { UnserializableError } from '@threadbus/core';
import { cloneFailure } from '@threadbus/link/internal';

/** A serialiser whose failures are those of structured clone. */
class ValueSerializer extends DefaultSerializer {
  // Named by Node: what is thrown for a value that can't be copied.
  _getDataCloneError(message: string): DOMException {
    return new DOMException(message, 'DataCloneError');
  }
}

/**
 * A value as bytes, behind one byte that says what it is for: all that structured clone can copy, as V8 writes it.
 *
 * @param maxSize bytes at most
 * @throws DataCloneError for a value that can't be copied; UnserializableError for one that is too large
 */
export function encodeValue(channel: number, value: unknown, maxSize: number): Buffer {
  const serializer = new ValueSerializer();
  try {
    serializer.writeRawBytes(Uint8Array.of(channel));
    serializer.writeHeader();
    serializer.writeValue(value);
  } catch (error) {
    throw cloneFailure(error);
  }
  const bytes = serializer.releaseBuffer();
  if (bytes.length <= maxSize) return bytes;
  throw new UnserializableError(`too large: ${bytes.length} bytes, and maxEventBytes is ${maxSize}`, {}, '');
}

/** @throws what V8 says of bytes that are none of its own */
export function decodeValue(bytes: Uint8Array): unknown {
  return deserialize(bytes.subarray(1));
}
