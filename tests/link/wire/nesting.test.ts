import { expect, test } from 'vitest';
import { isNestedDeeper, maxNesting } from '../../../packages/link/dist/wire/nesting.js';

/** So many levels, each made of the one below. */
function levels(count: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = wrap(0);
  for (let i = 1; i < count; i += 1) value = wrap(value);
  return value;
}

const wraps: Record<string, (inner: unknown) => unknown> = {
  arrays: (inner) => [inner],
  objects: (inner) => ({ a: 1, inner }),
  maps: (inner) => new Map([[inner, 1]]),
  'values of maps': (inner) => new Map([[1, inner]]),
  sets: (inner) => new Set([inner]),
  'causes of errors': (inner) => new Error('x', { cause: inner }),
};

for (const [name, wrap] of Object.entries(wraps)) {
  test(`nesting - ${name} up to the limit, and no level more`, () => {
    expect(isNestedDeeper(levels(maxNesting, wrap))).toBe(false);
    expect(isNestedDeeper(levels(maxNesting + 1, wrap))).toBe(true);
    expect(isNestedDeeper(levels(200_000, wrap))).toBe(true);
  });
}

test('nesting - what refers to itself is as deep as it is without that', () => {
  const loop: { self?: unknown; list: unknown[] } = { list: [] };
  loop.self = loop;
  loop.list.push(loop, { loop });
  expect(isNestedDeeper(loop)).toBe(false);
  const chain = levels(maxNesting - 3, (inner) => ({ inner, loop }));
  expect(isNestedDeeper(chain)).toBe(false);
  expect(isNestedDeeper({ loop, chain: levels(maxNesting, (inner) => [inner, loop]) })).toBe(true);
});

test('nesting - one object in many places is looked at once: two to the power of 60 paths end at once', () => {
  const shared = levels(60, (inner) => [inner, inner]);
  expect(isNestedDeeper(shared)).toBe(false);
});

test('nesting - wide values, sparse arrays, buffers and what throws', () => {
  const wide = Array.from({ length: 50_000 }, (_, i) => ({ i }));
  expect(isNestedDeeper(wide)).toBe(false);
  const sparse: unknown[] = [];
  sparse.length = 2 ** 32 - 1;
  expect(isNestedDeeper(sparse)).toBe(false);
  expect(isNestedDeeper(new Float64Array(10_000_000))).toBe(false);
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const throwing = {
    get broken(): never {
      throw new Error('getter');
    },
  };
  for (const value of [proxy, throwing, [proxy], null, 1, 'text', undefined]) expect(isNestedDeeper(value)).toBe(false);
});

test('nesting - many levels beside few', () => {
  const deep = levels(maxNesting, (inner) => [inner]);
  expect(isNestedDeeper([1, 'a', deep])).toBe(true);
  expect(isNestedDeeper({ a: {}, deep, b: {} }, maxNesting + 1)).toBe(false);
  expect(isNestedDeeper([[]], 1)).toBe(true);
  expect(isNestedDeeper([1], 1)).toBe(false);
});

test('nesting - an error within its own cause has no end where Node can not read it', () => {
  const own = new Error('own');
  own.cause = own;
  const within = new Error('within');
  within.cause = { list: [1, new Map([['key', within]])] };
  const shared = new Error('shared', { cause: new Error('cause') });
  for (const error of [own, within]) {
    let isRead = true;
    try {
      structuredClone([error]);
    } catch {
      isRead = false;
    }
    for (const value of [error, [error], { a: 1, error }]) expect(isNestedDeeper(value)).toBe(!isRead);
  }
  // In many places, or by fields that nobody clones, is not within its cause.
  expect(isNestedDeeper([shared, shared, { shared }])).toBe(false);
  expect(isNestedDeeper([Object.assign(shared, { shared, deep: levels(2000, (inner) => [inner]) })])).toBe(false);
});
