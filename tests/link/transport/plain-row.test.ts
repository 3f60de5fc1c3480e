import { isDeepStrictEqual } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainFrame, plainRow } from '../../../packages/link/dist/transport/plain-row.js';
import { headerSize } from '../../../packages/link/dist/transport/frame-reader.js';

const numbers = fc.oneof(
  fc.integer(),
  fc.integer({ min: -70, max: 70 }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(-0, 0, Number.NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 31 - 1, 2 ** 30, -(2 ** 30) - 1),
);
const characters = (from: number, to: number): fc.Arbitrary<string> =>
  fc.integer({ min: from, max: to }).map((code) => String.fromCharCode(code));
const lengths = fc.constantFrom(0, 1, 23, 24, 25, 127, 128, 300, 16_383, 16_384, 20_000);
const ascii = fc.oneof(
  fc.string({ unit: characters(0, 0x7f), maxLength: 40 }),
  fc.tuple(lengths, characters(0, 0x7f)).map(([length, character]) => character.repeat(length)),
);
const shortLatin = fc.string({ unit: characters(0, 0xff), maxLength: 24 });
const longLatin = fc
  .tuple(fc.integer({ min: 24, max: 3000 }), characters(0x80, 0xff))
  .map(([n, c]) => 'a'.repeat(n) + c);
const wide = fc.tuple(lengths, characters(0x100, 0xffff), shortLatin).map(([n, c, end]) => 'a'.repeat(n) + c + end);
const plain = fc.oneof(numbers, ascii, shortLatin, fc.boolean(), fc.constantFrom(null, undefined));
const rows = fc.array(plain, { maxLength: 60 }).filter((row) => lengthOf(row) < 50_000);

function lengthOf(row: readonly unknown[]): number {
  return row.reduce((sum: number, value) => sum + 10 + (typeof value === 'string' ? value.length : 0), 0);
}

/** As V8 has those of frames: arrays that have no holes and never had, with integers as such. */
function packed(row: readonly unknown[]): unknown[] {
  const collect = (...values: unknown[]): unknown[] => values;
  return collect(...row.map((value) => (Object.is((value as number) | 0, value) ? (value as number) | 0 : value)));
}

/** What is behind its header, which must be right. */
function bodyOf(frame: Buffer | null): Buffer {
  if (frame === null) throw new Error('no frame was written');
  expect([frame.readUInt32BE(0), ~frame.readUInt32BE(4) >>> 0]).toEqual(Array(2).fill(frame.length - headerSize));
  return frame.subarray(headerSize);
}

test('plain row - what is written is what V8 writes, and either reads it', () => {
  fc.assert(
    fc.property(rows, (values) => {
      // V8 has numbers alone as doubles, some of the time.
      const row = packed(['first', ...values]);
      const body = bodyOf(plainFrame(row));
      expect(body.toString('hex')).toBe(serialize(row).toString('hex'));
      expect(deserialize(body)).toEqual(row);
      expect(plainRow(body)).toEqual(row);
    }),
    { numRuns: 1000 },
  );
});

test('plain row - one with a text beyond Latin-1, or a long one beyond ASCII, is left to V8', () => {
  fc.assert(
    fc.property(rows, fc.nat(), wide, longLatin, (values, place, text, latin) => {
      const at = place % (values.length + 1);
      const row = packed([...values.slice(0, at), text, ...values.slice(at)]);
      expect([plainFrame(row), plainRow(serialize(row))]).toEqual([null, undefined]);
      const other = packed([...values, latin]);
      expect([plainFrame(other), plainRow(serialize(other))]).toEqual([null, other]);
    }),
    { numRuns: 300 },
  );
});

test('plain row - what is no such row is left to V8', () => {
  const others: readonly unknown[] = [
    'text',
    1,
    null,
    { length: 0 },
    new Map(),
    new Uint8Array(3),
    [[]],
    [{}],
    [1n],
    [new Date()],
    [new Uint8Array(2)],
    [Symbol('s')],
    [() => 1],
    ['a'.repeat(70_000)],
    Array(70_000).fill(1),
  ];
  for (const other of others) expect(plainFrame(other)).toBeNull();
  const foreign = ['text', 1, {}, [[]], [{}], [1n], [new Date(1)], [new Uint8Array(2)], [Object('x')]];
  for (const other of foreign) expect(plainRow(serialize(other))).toBeUndefined();
  // One with holes may have values of its prototype in their place; V8 knows.
  const sparse: unknown[] = [];
  sparse[3] = 1;
  expect(plainRow(serialize(sparse))).toBeUndefined();
});

test('plain row - bytes that were changed are read as V8 reads them, or not at all', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(rows, changes, fc.integer({ min: -3, max: 3 }), (values, changed, longer) => {
      const whole = Buffer.concat([serialize(packed(values)), Buffer.alloc(3)]);
      const bytes = whole.subarray(0, whole.length - 3 + longer);
      for (const [at, byte] of changed) bytes[at % bytes.length] = byte;
      const row = plainRow(bytes);
      expect(row === undefined || isDeepStrictEqual(row, deserialize(bytes))).toBe(true);
    }),
    { numRuns: 5000 },
  );
});
