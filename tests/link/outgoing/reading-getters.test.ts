import { BaseEvent, type Dispatch } from '@threadbus/core';
import { expect, test } from 'vitest';
import { linkPair } from '../link-pair.ts';

/*
 * A payload and a result are the user's objects: to read a field of one may call a getter, which may dispatch over the
 * very link by which it is being written. Both arrive whole, however many the getter dispatches.
 */
interface Target {
  dispatch(event: BaseEvent): Dispatch;
}

const event = (type: string, fields: object = {}): BaseEvent =>
  new BaseEvent({ ...fields }, { event_type: type, event_timeout: 60 });
const fieldsOf = (each: BaseEvent): object => ({ ...each });

/** Dispatches so many events at each call, and says what has become of all of them. */
class Inner {
  readonly #count: number;
  readonly #answers: Promise<unknown>[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  dispatch(target: Target): void {
    for (let n = 0; n < this.#count; n += 1) {
      this.#answers.push(target.dispatch(event('Inner', { n: this.#answers.length, text: 'inner' })).eventResult());
    }
  }

  async answers(): Promise<unknown[]> {
    return Promise.all(this.#answers);
  }

  /** Answers of at least one call. */
  get expected(): object[] {
    const { length } = this.#answers;
    return Array.from({ length: Math.max(length, this.#count) }, (_, n) => ({ n, text: 'inner' }));
  }
}

function withGetter<T extends object>(object: T, name: string, get: () => unknown): T {
  return Object.defineProperty(object, name, { enumerable: true, configurable: true, get });
}

// One goes into the same frame; 40 fill one, which leaves meanwhile.
const cases = [1, 40].flatMap((count) => [1, 256].map((maxInFlight) => ({ count, maxInFlight })));

test.for(cases)('reading getters - of a payload, %o', async ({ count, maxInFlight }) => {
  const { there, down } = await linkPair({ maxInFlight });
  there.on('Outer', fieldsOf);
  there.on('Inner', fieldsOf);
  const inner = new Inner(count);
  const outer = withGetter(event('Outer', { first: 1 }), 'second', () => {
    inner.dispatch(down);
    return 2;
  });
  Object.assign(outer, { third: { deep: [3] } });
  const answer = await down.dispatch(outer).eventResult();
  expect(answer).toEqual({ first: 1, second: 2, third: { deep: [3] } });
  expect(await inner.answers()).toEqual(inner.expected);
});

test.for(cases)('reading getters - deep in a payload, %o', async ({ count, maxInFlight }) => {
  const { there, down } = await linkPair({ maxInFlight });
  there.on('Outer', fieldsOf);
  there.on('Inner', fieldsOf);
  const inner = new Inner(count);
  const deep = withGetter({}, 'value', () => {
    inner.dispatch(down);
    return 'deep';
  });
  const answer = await down.dispatch(event('Outer', { first: 1, second: { deep }, third: 3 })).eventResult();
  expect(answer).toEqual({ first: 1, second: { deep: { value: 'deep' } }, third: 3 });
  expect(await inner.answers()).toEqual(inner.expected);
});

test.for(cases)('reading getters - beside a buffer that moves, %o', async ({ count, maxInFlight }) => {
  const { there, down } = await linkPair({ maxInFlight });
  there.on('Outer', fieldsOf);
  there.on('Inner', fieldsOf);
  const inner = new Inner(count);
  const bytes = new Uint8Array([1, 2, 3]);
  const outer = withGetter(event('Outer'), 'first', () => {
    inner.dispatch(down);
    return 1;
  });
  Object.assign(outer, { bytes });
  const answer = await down.dispatch(outer, { transfer: [bytes.buffer] }).eventResult();
  expect(answer).toEqual({ first: 1, bytes: new Uint8Array([1, 2, 3]) });
  expect(bytes.byteLength).toBe(0);
  expect(await inner.answers()).toEqual(inner.expected);
});

test.for(cases)('reading getters - of a result, %o', async ({ count, maxInFlight }) => {
  const { here, there, down, up } = await linkPair({ maxInFlight });
  here.on('Inner', fieldsOf);
  const inner = new Inner(count);
  there.on('Outer', () =>
    withGetter({ first: 1 }, 'second', () => {
      inner.dispatch(up);
      return 2;
    }),
  );
  expect(await down.dispatch(event('Outer')).eventResult()).toEqual({ first: 1, second: 2 });
  expect(await inner.answers()).toEqual(inner.expected);
});

test.for(cases)('reading getters - one that throws after it has dispatched, %o', async ({ count, maxInFlight }) => {
  const { there, down } = await linkPair({ maxInFlight });
  there.on('Inner', fieldsOf);
  const inner = new Inner(count);
  const outer = withGetter(event('Outer', { first: 1 }), 'second', () => {
    inner.dispatch(down);
    throw new Error('not to be had');
  });
  const [error] = await down.dispatch(outer).eventErrors();
  expect(error).toMatchObject({ name: 'UnserializableError' });
  expect(await inner.answers()).toEqual(inner.expected);
});

test('reading getters - one that dispatches an event of the same type with another limit', async () => {
  const { there, down } = await linkPair();
  there.on('Same', (each) => each.event_timeout);
  const inner: Promise<unknown>[] = [];
  const outer = withGetter(event('Same', { first: 1 }), 'second', () => {
    const other = new BaseEvent({ first: 1, second: 2 }, { event_type: 'Same', event_timeout: 5 });
    inner.push(down.dispatch(other).eventResult());
    return 2;
  });
  expect(await down.dispatch(outer).eventResult()).toBe(60);
  expect(new Set(await Promise.all(inner))).toEqual(new Set([5]));
});
