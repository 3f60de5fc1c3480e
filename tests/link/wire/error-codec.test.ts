import { BusError, HandlerTimeoutError, isBusError, isTimeoutError, TimeoutError } from '@threadbus/core';
import { isLinkError, LinkError, registerErrorClass } from '@threadbus/link';
import { registerErrorClass as registerInWorker } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { decodeThrown, encodeThrown } from '../../../packages/link/dist/wire/error-codec.js';

/** As it is on the other side. */
function crossed<T>(thrown: T): T {
  return decodeThrown(structuredClone(encodeThrown(thrown))) as T;
}

test('error - what is ours is told by the brand', () => {
  const timeout = crossed(new TimeoutError('late', { busName: 'A' }, 2));
  expect(timeout).toBeInstanceOf(TimeoutError);
  expect(isTimeoutError(timeout)).toBe(true);
  expect(timeout).toMatchObject({ code: 'ERR_TIMEOUT', timeout: 2, busName: 'A' });
  const link = crossed(new LinkError('closed', {}, { cause: new HandlerTimeoutError('h', {}, 1) }));
  expect(isLinkError(link) && link instanceof LinkError).toBe(true);
  expect(link.cause).toBeInstanceOf(HandlerTimeoutError);
});

test('error - one of a class of ours that this side does not have keeps the brand', () => {
  class NewerError extends BusError {
    override readonly code = 'ERR_NEWER';
  }
  const error = crossed(new NewerError('from the future'));
  expect(isBusError(error)).toBe(true);
  expect(error).toMatchObject({ code: 'ERR_NEWER', message: 'from the future' });
  expect(Object.keys(error)).toEqual(['code']);
});

test('error - nothing else is ours, whatever its name', () => {
  class TheirTimeout extends Error {
    override name = 'TimeoutError';
  }
  const classes = {
    TimeoutError: class extends Error {},
    BusError: class extends Error {},
    LinkError: class extends TypeError {},
  };
  Object.defineProperty(classes.TimeoutError, 'name', { value: 'TimeoutError' });
  Object.defineProperty(classes.BusError, 'name', { value: 'BusError' });
  Object.defineProperty(classes.LinkError, 'name', { value: 'LinkError' });
  const all = [
    new Error('plain'),
    new TheirTimeout('named'),
    new classes.TimeoutError('class'),
    new classes.BusError('class'),
    new classes.LinkError('class'),
    Object.assign(new Error('code'), { code: 'ERR_TIMEOUT', name: 'TimeoutError' }),
  ];
  for (const error of all) {
    const got = crossed(error);
    expect(isBusError(got)).toBe(false);
    expect(got instanceof BusError).toBe(false);
    expect(got).toMatchObject({ name: error.name, message: error.message });
    expect(got).toBeInstanceOf(error instanceof TypeError ? TypeError : Error);
  }
});

test('error - a class of the user may have the name of one of ours, and is it', () => {
  const { TimeoutError: Theirs } = { TimeoutError: class extends Error {} };
  registerErrorClass(Theirs);
  expect(crossed(new Theirs('mine'))).toBeInstanceOf(Theirs);
  expect(crossed(new TimeoutError('ours', {}, 1))).toBeInstanceOf(TimeoutError);
  class Special extends TimeoutError {}
  expect(crossed(new Special('below', {}, 1))).toBeInstanceOf(TimeoutError);
  registerInWorker(Special);
  expect(crossed(new Special('below', {}, 1))).toBeInstanceOf(Special);
});

test('error - copies of the package share what is registered', async () => {
  const copy = (await import(
    new URL('../../../packages/link/dist/wire/error-classes.js?copy', import.meta.url).href
  )) as {
    registerErrorClass: typeof registerErrorClass;
  };
  expect(copy.registerErrorClass).not.toBe(registerErrorClass);
  class Shared extends Error {}
  copy.registerErrorClass(Shared);
  expect(crossed(new Shared('once'))).toBeInstanceOf(Shared);
});

test('error - causes and errors that are one object, or a circle, stay so', () => {
  const cause = new RangeError('root');
  const both = crossed(new AggregateError([new Error('a', { cause }), new Error('b', { cause })], 'both'));
  const [a, b] = both.errors as [Error, Error];
  expect(a.cause).toBe(b.cause);
  const circle = new Error('circle');
  circle.cause = circle;
  const got = crossed(circle);
  expect(got.cause).toBe(got);
  const many: Error[] = [];
  for (let i = 0; i < 12; i += 1) many.push(new AggregateError(many, `${i}`));
  expect(crossed(many.at(-1) as AggregateError).errors).toHaveLength(11);
});

test('error - whatever is thrown arrives as something', () => {
  const { proxy, revoke } = Proxy.revocable(new Error('x'), {});
  revoke();
  const hostile = new Error('x');
  // Written out once, or it would ask for the message when it is first looked at.
  expect(hostile.stack).toContain('Error: x');
  Object.defineProperties(hostile, {
    message: {
      get: () => {
        throw new Error('no message');
      },
    },
    name: { value: 5 },
    stack: { value: () => 1 },
    own: {
      get: () => {
        throw new Error('no field');
      },
      enumerable: true,
    },
  });
  let chain: Error = new Error('0');
  for (let i = 1; i < 20_000; i += 1) chain = new Error(`${i}`, { cause: chain });
  const strange: unknown[] = [
    proxy,
    { proxy },
    Object.create(null),
    Symbol('s'),
    () => 1,
    hostile,
    undefined,
    null,
    3n,
    new WeakMap(),
  ];
  for (const thrown of strange) expect(() => crossed(thrown)).not.toThrow();
  expect(crossed(hostile)).toMatchObject({ name: 'Error', message: '' });
  expect(crossed(chain).message).toBe('19999');
});

test('error - the reason of an abort, which has what it says in slots of its own', () => {
  class Denied extends DOMException {}
  registerErrorClass(Denied);
  const controller = new AbortController();
  controller.abort();
  for (const reason of [controller.signal.reason as unknown, new DOMException('late', 'TimeoutError')]) {
    const { name, message, code } = reason as DOMException;
    const got = crossed(reason);
    expect(got).toBeInstanceOf(DOMException);
    expect(got).toMatchObject({ name, message, code });
  }
  const denied = crossed(new Denied('no', 'NotAllowedError'));
  expect(denied).toBeInstanceOf(Denied);
  expect(denied.name).toBe('NotAllowedError');
});

test('error - a class whose name can not be read', () => {
  class Unreadable extends Error {
    override get name(): string {
      throw new Error('no name');
    }
  }
  registerErrorClass(Unreadable);
  expect(crossed(new Unreadable('still here'))).toMatchObject({ message: 'still here', name: 'Error' });
});
