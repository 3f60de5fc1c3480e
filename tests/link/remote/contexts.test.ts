import { BaseEvent } from '@threadbus/core';
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { linkPair } from '../link-pair.ts';

const Came = BaseEvent.extend('Came', {});
const user = new AsyncLocalStorage<string>();

test('contexts - what a handler enters is not there for the events that come over the link after', async () => {
  const { down, there } = await linkPair();
  const seen: (string | undefined)[] = [];
  there.on(Came, () => {
    seen.push(user.getStore());
    user.enterWith('left behind');
  });
  for (let i = 0; i < 3; i += 1) await down.dispatch(new Came({}));
  expect(seen).toEqual([undefined, undefined, undefined]);
});

test('contexts - nor for the calls of functions', async () => {
  const { down } = await linkPair();
  const seen: (string | undefined)[] = [];
  // The bus that calls the function is at the other end.
  down.on(Came, () => {
    seen.push(user.getStore());
    user.enterWith('left behind');
  });
  for (let i = 0; i < 3; i += 1) await down.dispatch(new Came({}));
  expect(seen).toEqual([undefined, undefined, undefined]);
});
