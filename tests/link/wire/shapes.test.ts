import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { ShapeWriter } from '../../../packages/link/dist/wire/shapes.js';
import { linkPair } from '../link-pair.ts';

/** Sends each payload there and back as it is, in one burst; what is compared has crossed twice. */
async function thereAndBack(payloads: readonly object[]): Promise<unknown[]> {
  const { down, there } = await linkPair({ maxInFlight: 10_000 });
  there.on('Thing', (event) => ({ ...event }));
  const sent = payloads.map((payload) => down.dispatch(new BaseEvent(payload, { event_type: 'Thing' })));
  return Promise.all(sent.map((dispatch) => dispatch.eventResult()));
}

test('shapes - payloads and results of one type may differ in their fields', async () => {
  const payloads: object[] = [
    { a: 1 },
    { a: 2, b: 'two' },
    {},
    { b: 'three', a: 3 },
    { a: undefined },
    { a: { nested: [1, { deep: true }] } },
    { 10: 'ten', 2: 'two', '': 'empty', 'with "quotes"': null },
    { a: 4 },
    { list: [], bytes: new Uint8Array([1, 2]) },
    Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`field${n}`, n])),
  ];
  const returned = await thereAndBack(payloads);
  expect(returned).toEqual(payloads);
  expect(returned.map((value) => Object.keys(value as object))).toEqual(payloads.map((value) => Object.keys(value)));
});

test('shapes - more of them than are numbered', async () => {
  const payloads = Array.from({ length: 3000 }, (_, n) => ({ [`field${n % 1500}`]: n, n }));
  expect(await thereAndBack(payloads)).toEqual(payloads);
});

test('shapes - results come as structured clone would give them', async () => {
  const { down, there } = await linkPair();
  class Point {
    readonly x = 1;
    get double(): number {
      return this.x * 2;
    }
  }
  const values: Record<string, unknown> = {
    proto: JSON.parse('{"__proto__": "own", "a": 1}'),
    deepProto: JSON.parse('{"__proto__": {"polluted": true}, "a": 1}'),
    bare: Object.assign(Object.create(null) as object, { a: 1 }),
    instance: new Point(),
    getter: {
      get a() {
        return 1;
      },
    },
    own: { constructor: 'own', toString: 'own', hasOwnProperty: 1 },
    symbol: { a: 1, [Symbol('hidden')]: 2 },
    hidden: Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false }),
    array: [1, 2],
    none: null,
  };
  for (const [name, value] of Object.entries(values)) there.on(`Give_${name}`, () => value);
  for (const [name, value] of Object.entries(values)) {
    const event = new BaseEvent({}, { event_type: `Give_${name}` });
    const returned = await down.dispatch(event).eventResult({ include: () => true });
    const expected = structuredClone(value);
    expect({ [name]: returned }).toStrictEqual({ [name]: expected });
    expect(Object.getPrototypeOf(Object(returned))).toBe(Object.getPrototypeOf(Object(expected)));
  }
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test('shapes - a result with a getter that throws fails alone, and says so', async () => {
  const { down, there } = await linkPair();
  there.on('Throwing', () => ({
    n: 1,
    get bad(): number {
      throw new RangeError('no such thing');
    },
  }));
  there.on('Fine', () => ({ n: 1, bad: 2 }));
  const send = (event_type: string): Promise<unknown> => down.dispatch(new BaseEvent({}, { event_type })).eventResult();
  const [before, thrown, after] = await Promise.allSettled([send('Fine'), send('Throwing'), send('Fine')]);
  for (const other of [before, after]) expect(other).toEqual({ status: 'fulfilled', value: { n: 1, bad: 2 } });
  const message = expect.stringContaining(
    '"result.bad" (a getter that throws) cannot cross a thread boundary',
  ) as string;
  expect(thrown).toMatchObject({ status: 'rejected', reason: { name: 'UnserializableError', message } });
});

test('shapes - told once each, and again never', () => {
  const told: (readonly string[])[] = [];
  const writer = new ShapeWriter((number, names) => (told[number] = names));
  const first = writer.of(['a', 'b'], null);
  expect(writer.of(['a', 'b'], first)).toBe(first);
  expect(writer.of(['a'], first)).not.toBe(first);
  expect(writer.of(['a', 'b'], writer.of(['a'], first))).toBe(first);
  expect(told.filter((names) => names !== undefined)).toEqual([['a', 'b'], ['a']]);
});
