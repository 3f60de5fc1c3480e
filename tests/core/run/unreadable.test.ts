import { BaseEvent, isThrownValueError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

function revoked(target: object): never {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy as never;
}

const thrown: [string, () => unknown][] = [
  ['a revoked Proxy', () => revoked({})],
  ['a revoked Proxy of a function', () => revoked(() => undefined)],
  ['a revoked Proxy of an Error', () => revoked(new Error('x'))],
  ['a revoked Proxy of an array', () => revoked([])],
  ['an Error whose name is a revoked Proxy', () => Object.assign(new Error('x'), { name: revoked({}) })],
  [
    'an Error whose message throws',
    () =>
      Object.defineProperty(new Error('x'), 'message', {
        get() {
          throw new Error('no message');
        },
      }),
  ],
  [
    'a Proxy with a trap that throws',
    () =>
      new Proxy(
        {},
        {
          getPrototypeOf() {
            throw new Error('trap');
          },
        },
      ),
  ],
];

test.each(thrown)('unreadable - %s that a handler throws is its error, and nothing else fails', async (_what, make) => {
  const bus = quietBus();
  bus.on('Throws', () => {
    throw make();
  });
  bus.on('Rejects', async () => {
    throw make();
  });
  bus.on('Fine', () => 'fine');
  for (const event_type of ['Throws', 'Rejects']) {
    const error = await rejection(bus.dispatch(new BaseEvent({}, { event_type })).eventResult());
    expect(isThrownValueError(error)).toBe(true);
  }
  expect(bus.logTree()).toContain('Throws');
  expect(await bus.dispatch(new BaseEvent({}, { event_type: 'Fine' })).eventResult()).toBe('fine');
  await bus.stop();
});
