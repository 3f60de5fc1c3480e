import { BaseEvent, isUnserializableError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { rejection } from '../../helpers/gate.ts';
import { linkPair } from '../link-pair.ts';

const Ask = BaseEvent.extend('Ask', { value: z.unknown() });
const Child = BaseEvent.extend('Child', { value: z.unknown(), kept: z.string() });

function nested(depth: number, wrap: (inner: unknown) => unknown = (inner) => [inner]): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = wrap(value);
  return value;
}

/** Deeper than Node 20 can read, however deep that is. */
function ownCause(): Error {
  const error = new Error('own');
  error.cause = new Map([['key', [error]]]);
  return error;
}

const deep: Record<string, unknown> = {
  'arrays of 10 KB of JSON': JSON.parse('['.repeat(5000) + ']'.repeat(5000)) as unknown,
  objects: nested(100_000, (inner) => ({ inner })),
  maps: nested(3000, (inner) => new Map([['key', inner]])),
  'a little more than the limit': nested(1001),
  ...(process.version.startsWith('v20') && { 'an error within its own cause': { error: ownCause() } }),
};

for (const [name, value] of Object.entries(deep)) {
  test(`depth - a payload that is nested too deep fails alone: ${name}`, async () => {
    const { there, down } = await linkPair();
    there.on(Ask, () => 'ok');
    const sent = [1, value, 2].map((each) => down.dispatch(new Ask({ value: each })).eventResult());
    const error = await rejection(sent[1] as Promise<unknown>);
    expect(isUnserializableError(error)).toBe(true);
    expect(error.message).toMatch(/Ask: field "value.*nested more than 1000 levels deep/);
    expect(error.message.length).toBeLessThan(400);
    expect(await Promise.all([sent[0], sent[2]])).toEqual(['ok', 'ok']);
  });

  test(`depth - a result that is nested too deep fails alone: ${name}`, async () => {
    const { there, down } = await linkPair();
    const results = [1, value, 2];
    there.on(Ask, ({ value: which }) => results[which as number]);
    // Two handlers, children: the long form of an answer.
    there.on(Child, ({ value: which }) => results[which as number]);
    there.on(Child, async () => void (await there.dispatch(new Ask({ value: 0 }))));
    for (const make of [
      (which: number) => new Ask({ value: which }),
      (which: number) => new Child({ value: which, kept: '' }),
    ]) {
      const sent = [0, 1, 2].map((which) => down.dispatch(make(which)).eventResult());
      expect(isUnserializableError(await rejection(sent[1] as Promise<unknown>))).toBe(true);
      expect(await Promise.all([sent[0], sent[2]])).toEqual([1, 2]);
    }
  });
}

test('depth - a value up to the limit crosses there and back', async () => {
  const { there, down } = await linkPair();
  there.on(Ask, ({ value }) => value);
  const value = nested(900);
  expect(JSON.stringify(await down.dispatch(new Ask({ value })).eventResult())).toBe(JSON.stringify(value));
});

test('depth - errors with deep fields, and thrown values that are deep, arrive without them', async () => {
  const { there, down } = await linkPair();
  there.on(Ask, ({ value }) => {
    const what = nested(5000);
    // oxlint-disable-next-line typescript/only-throw-error -- what happens to such a thing is the question
    throw value === 'error' ? Object.assign(new RangeError('deep'), { what, kept: 1 }) : what;
  });
  const error = await rejection(down.dispatch(new Ask({ value: 'error' })).eventResult());
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({ message: 'deep', kept: 1 });
  expect('what' in error).toBe(false);
  expect(await rejection(down.dispatch(new Ask({ value: 'thrown' })).eventResult())).toMatchObject({
    name: 'ThrownValueError',
  });
});

test('depth - an offer for expect() fails that expectation alone', async () => {
  const { there, down } = await linkPair();
  const expected = rejection(down.expect(Child));
  const other = down.expect(Ask);
  await down.dispatch(new Ask({ value: 1 }));
  await other;
  there.dispatch(new Child({ value: nested(5000), kept: 'a' }));
  expect(isUnserializableError(await expected)).toBe(true);
});

test('tree - what its handlers dispatched to themselves need not be able to cross: such fields are left out', async () => {
  const { there, down } = await linkPair();
  for (const value of [() => 1, nested(5000), new WeakMap(), Symbol('x')]) {
    const off = there.on(Ask, async () => {
      await there.dispatch(new Child({ value, kept: 'yes' }));
      return 'done';
    });
    const event = await down.dispatch(new Ask({ value: 1 }));
    expect(await event.eventResult()).toBe('done');
    const [child] = event.event_children as (BaseEvent & { value?: unknown; kept?: unknown })[];
    expect(child?.kept).toBe('yes');
    expect(child !== undefined && 'value' in child).toBe(false);
    off();
  }
});

test('tree - one of any depth comes back whole', async () => {
  const { there, down } = await linkPair({}, { maxRecursionDepth: null });
  const depth = 5000;
  there.on(Ask, ({ value }) => {
    if ((value as number) < depth) there.dispatch(new Ask({ value: (value as number) + 1 }));
    return value;
  });
  let event: BaseEvent = await down.dispatch(new Ask({ value: 0 }));
  let count = 0;
  for (; event.event_children.length > 0; event = event.event_children[0] as BaseEvent) {
    expect(event.event_status).toBe('completed');
    count += 1;
  }
  expect(count).toBe(depth);
  expect(await event.eventResult()).toBe(depth);
});

test('clone failure - a revoked Proxy fails alone, in a payload, a result and a thrown value', async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const thrown = (): unknown => proxy;
  const { there, down } = await linkPair();
  there.on(Ask, ({ value }) => {
    if (value === 'throw') throw thrown();
    return value === 'return' ? { list: [proxy] } : 'ok';
  });
  const values = ['fine', { list: [proxy] }, 'return', 'throw', 'fine'];
  const outcomes = await Promise.all(
    values.map((value) =>
      down
        .dispatch(new Ask({ value }))
        .eventResult()
        .catch((error: Error) => error.name),
    ),
  );
  expect(outcomes).toEqual(['ok', 'UnserializableError', 'UnserializableError', 'ThrownValueError', 'ok']);
});

test('clone failure - the path of what a result holds is written as in code', async () => {
  const { there, down } = await linkPair();
  const results = [[1, () => 2], { list: [() => 2] }, () => 2];
  there.on(Ask, ({ value }) => results[value as number]);
  const paths = results.map(async (_, value) => {
    const error = await rejection(down.dispatch(new Ask({ value })).eventResult());
    return isUnserializableError(error) ? error.path : error.name;
  });
  expect(await Promise.all(paths)).toEqual(['result[1]', 'result.list[0]', 'result']);
});

test('clone failure - the field that is to blame is named, not shared memory that could cross', async () => {
  const { there, down } = await linkPair();
  const Shared = BaseEvent.extend('Shared', { cells: z.unknown(), value: z.unknown() });
  there.on(Shared, () => 'ok');
  const cells = new SharedArrayBuffer(8);
  const moved = new Uint8Array(8);
  structuredClone(moved, { transfer: [moved.buffer] });
  for (const [value, what] of [
    [{ callback() {} }, 'field "value.callback" (function callback)'],
    [moved, 'field "value" (a view of a buffer that was moved before)'],
  ] as const) {
    const error = await rejection(down.dispatch(new Shared({ cells, value })).eventResult());
    expect(error.message).toContain(what);
  }
  expect(await down.dispatch(new Shared({ cells, value: 1 })).eventResult()).toBe('ok');
});
