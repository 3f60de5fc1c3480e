import { redactByDefault, redacted } from '../../../packages/inspector/dist/basics/redact.js';
import { errorText, Showing } from '../../../packages/inspector/dist/basics/show.js';
import { expect, test } from 'vitest';

const show = (value: unknown, redact = redactByDefault): unknown => new Showing(redact).show('event.payload', value);

test.each([
  'password',
  'userPassword',
  'pass',
  'passphrase',
  'token',
  'accessToken',
  'TOKEN_ID',
  'client_secret',
  'authorization',
  'Cookie',
  'set-cookie',
  'apiKey',
  'api_key',
  'privateKey',
  'credentials',
])('redact - hides what is named %s', (name) => {
  expect(show({ [name]: 'open sesame', deep: [{ [name]: { a: 'open sesame' } }] })).toEqual({
    [name]: '•••',
    deep: [{ [name]: '•••' }],
  });
});

test.each(['compass', 'passenger', 'path', 'keyboard', 'author', 'bypass_count'])(
  'redact - shows what is named %s',
  (name) => {
    expect(show({ [name]: 'north' })).toEqual({ [name]: 'north' });
  },
);

test.each([
  ['login failed: password=hunter2, retry', 'login failed: password=•••, retry'],
  ['{"token":"abc.def","n":1}', '{"token":"•••","n":1}'],
  ['Authorization: Bearer abc.def-ghi', 'Authorization: •••'],
  ['sent Bearer abc.def', 'sent Bearer •••'],
  ['api_key: 1234', 'api_key: •••'],
  ['the password is wrong', 'the password is wrong'],
])('redact - of the text %j leaves %j', (text, left) => {
  expect(redactByDefault('event.results.0.error.message', text)).toBe(left);
});

test('redact - one that throws, or answers later, hides; one that answers anything decides', () => {
  const failing = (): never => {
    throw new Error('no');
  };
  expect(redacted(failing, 'p', 'x')).toBe('•••');
  expect(redacted(async () => Promise.reject(new Error('later')), 'p', 'x')).toBe('•••');
  expect(show({ a: 1, b: 'x' }, (_path, value) => (typeof value === 'string' ? { instead: 1 } : value))).toEqual({
    a: 1,
    b: { instead: 1 },
  });
});

test('redact - is asked for containers before what is in them, by path, arrays by index', () => {
  const paths: string[] = [];
  show({ user: { names: ['a', 'b'] } }, (path, value) => {
    paths.push(path);
    return value;
  });
  expect(paths).toEqual([
    'event.payload',
    'event.payload.user',
    'event.payload.user.names',
    'event.payload.user.names.0',
    'event.payload.user.names.1',
  ]);
});

test('show - what JSON has no words for is said, nothing throws, nothing is run but getters', () => {
  const round: Record<string, unknown> = { n: 1 };
  round['self'] = round;
  const odd = {
    round,
    date: new Date(0),
    never: new Date(Number.NaN),
    big: 7n,
    nan: Number.NaN,
    zero: -0,
    none: undefined,
    fn: function named() {},
    map: new Map<unknown, unknown>([['a', 1]]),
    set: new Set([1]),
    bytes: new Uint8Array(3),
    get throws() {
      throw new Error('no');
    },
    error: new RangeError('far'),
    bare: Object.create(null) as object,
  };
  expect(show(odd)).toMatchObject({
    round: { n: 1, self: '‹circular›' },
    date: '‹Date 1970-01-01T00:00:00.000Z›',
    never: '‹Date invalid›',
    big: '‹7n›',
    nan: '‹NaN›',
    zero: '‹-0›',
    none: '‹undefined›',
    fn: '‹function named›',
    map: { '‹Map›': { a: 1 } },
    set: { '‹Set›': [1] },
    bytes: '‹Uint8Array, 3 bytes›',
    throws: '‹getter threw›',
    error: { name: 'RangeError', message: 'far' },
    bare: {},
  });
  const proxy = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no');
      },
    },
  );
  expect(show(proxy)).toBe('‹unreadable›');
  expect(show(JSON.parse('{"__proto__":{"x":1}}'))).toEqual(JSON.parse('{"__proto__":{"x":1}}'));
});

test('show - is bounded: long texts, many values, deep ones', () => {
  const size = (value: unknown): number => JSON.stringify(show(value)).length;
  let deep: unknown = 'end';
  for (let n = 0; n < 10_000; n += 1) deep = { deep };
  expect(size('x'.repeat(10_000_000))).toBeLessThan(20_000);
  expect(size(Array.from({ length: 100_000 }, (_, n) => n))).toBeLessThan(64 * 1024);
  expect(size(Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`key${n}`, n])))).toBeLessThan(128 * 1024);
  expect(size(new Map(Array.from({ length: 100_000 }, (_, n) => [`key${n}`, n])))).toBeLessThan(128 * 1024);
  expect(size(deep)).toBeLessThan(1000);
});

test('show - of something that was thrown tells what there is', () => {
  const text = (error: unknown): unknown => errorText(error, 'event.results.0.error', redactByDefault);
  expect(text('just text')).toMatchObject({ name: 'thrown', message: 'just text', code: null, stack: null });
  expect(text(null)).toMatchObject({ name: 'thrown', message: 'null' });
  expect(text(Object.assign(new Error('m'), { code: 'E_CODE', stack: 'Error: m, secret=7' }))).toEqual({
    name: 'Error',
    message: 'm',
    code: 'E_CODE',
    stack: 'Error: m, secret=•••',
  });
  const hostile = {
    get message() {
      throw new Error('no');
    },
  };
  expect(text(hostile)).toMatchObject({ name: 'Error', message: '' });
});
