import { isDeepStrictEqual } from 'node:util';
import { isUnserializableError } from '@threadbus/core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { thrown } from '../../helpers/thrown.ts';
import { plainText } from '../../../packages/nats/dist/session/plain-text.js';
import { encodeValue, readValue } from '../../../packages/nats/dist/session/value-codec.js';

const roundTrip = (value: unknown): unknown => readValue(encodeValue(7, value, 1 << 24), 0).value;

class Point {
  readonly x = 1;
}

/** What JSON loses or changes, so that frames which hold it must not travel as JSON. */
const beyondJson: readonly [string, () => unknown][] = [
  ['a map', () => new Map([[1, { a: 2 }]])],
  ['a set', () => new Set(['a'])],
  ['a date', () => new Date(5)],
  ['a pattern', () => /x/gu],
  ['bytes', () => Uint8Array.of(1, 2)],
  ['a buffer', () => new ArrayBuffer(3)],
  ['a bigint', () => 2n ** 70n],
  ['minus zero', () => -0],
  ['no number', () => Number.NaN],
  ['infinity', () => -Infinity],
  ['undefined in an object', () => ({ a: undefined })],
  ['undefined in an array', () => [undefined]],
  ['a hole', () => Array.from({ length: 3 }).fill(1, 1)],
  ['only holes', () => Array<unknown>(3)],
  ['an array with names', () => Object.assign([1], { more: 2 })],
  ['an error', () => new TypeError('no', { cause: 1 })],
  ['an instance', () => new Point()],
  ['a boxed text', (): unknown => Object('text')],
  ['toJSON that is none', () => ({ toJSON: 1, a: 2 })],
  [
    'a circle',
    () => {
      const circle: Record<string, unknown> = {};
      circle['self'] = circle;
      return circle;
    },
  ],
  ['deep', (): unknown => JSON.parse(`${'['.repeat(600)}${']'.repeat(600)}`)],
  ['long', () => 'x'.repeat(100_000)],
];

describe('value codec', () => {
  test('value codec - whatever structured clone takes comes back as it gives it', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: true,
    });
    const property = fc.property(
      fc.array(fc.oneof(anything, fc.jsonValue(), fc.string({ unit: 'binary' }))),
      (frame) => {
        if (!isDeepStrictEqual(roundTrip(frame), structuredClone(frame))) throw new Error('another value came back');
      },
    );
    expect(fc.check(property, { numRuns: 1000 })).toMatchObject({ failed: false });
  });

  test.each(beyondJson)('value codec - %s, in a frame and within an object of it', (_what, make) => {
    for (const frame of [[make(), 'text'], [{ a: [make()] }], [1, undefined, make()]]) {
      expect(isDeepStrictEqual(roundTrip(frame), structuredClone(frame))).toBe(true);
    }
  });

  test('value codec - an object that is met twice is one on the other side', () => {
    const shared = { a: 1 };
    const [first, second] = roundTrip([shared, { shared }]) as [object, { shared: object }];
    expect(second.shared).toBe(first);
  });

  test('value codec - what most frames are takes the quick way, and comes back the same', () => {
    const frames = [
      [2, 0, 0, 0, 3, 86_401_056, 0, null, 1, 2, 1, 'ä \u{1f600} \uD800 \0 "', 3],
      [1, { a: [1.5, true, null, { b: 'c' }], ['__proto__']: 2 }, undefined, undefined],
      [Object.assign(Object.create(null) as object, { a: 1 })],
      [undefined],
      [],
    ];
    for (const frame of frames) {
      expect(plainText(frame)).not.toBeNull();
      expect(isDeepStrictEqual(roundTrip(frame), structuredClone(frame))).toBe(true);
    }
    const others = beyondJson.filter(([, make]) => plainText([make()]) !== null).map(([what]) => what);
    expect(others).toEqual(['toJSON that is none']);
  });

  test.each([
    ['a function', () => 1],
    ['a symbol', Symbol('no')],
    ['a promise', Promise.resolve()],
    ['toJSON', { toJSON: () => 1 }],
  ])('value codec - %s fails as a clone does', (_what, value) => {
    expect(thrown(() => encodeValue(1, [value], 1000)).name).toBe('DataCloneError');
  });

  test('value codec - one that is too large says how large it is, written either way', () => {
    for (const value of ['x'.repeat(2000), new Uint8Array(2000)]) {
      const error = thrown(() => encodeValue(1, [value], 1000));
      expect(isUnserializableError(error)).toBe(true);
      expect(error.message).toMatch(/^too large: 20\d\d bytes, and maxEventBytes is 1000$/);
    }
  });

  test('value codec - bytes that are none are refused, whatever they are', () => {
    const good = encodeValue(1, [{ a: 'text' }, 1], 1000);
    const readsWithin = (bytes: Buffer): boolean => {
      try {
        return readValue(bytes, 0).end <= bytes.length;
      } catch (error) {
        return error instanceof Error;
      }
    };
    const property = fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(good.length), (noise, cut) =>
      [Buffer.from(noise), good.subarray(0, cut)].every(readsWithin),
    );
    expect(fc.check(property)).toMatchObject({ failed: false });
    expect(() => readValue(Buffer.from([0, 0, 0, 4, 0, 1, 123, 125]), 0)).toThrow(TypeError);
  });
});
