import { AsyncLocalStorage } from 'node:async_hooks';
import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, ticks } from '../../helpers/gate.ts';

const Request = BaseEvent.extend('Request', { n: z.number() });
const Inner = BaseEvent.extend('Inner', {});
const user = new AsyncLocalStorage<string>();

test('context - what is active at dispatch is seen in all handlers, though they run later', async () => {
  await using bus = new EventBus();
  const door = gate();
  const seen: (string | undefined)[] = [];
  bus.on(Request, async () => {
    await door.opened;
    seen.push(user.getStore());
  });
  bus.on('*', () => void seen.push(user.getStore()));
  const dispatch = user.run('alice', () => bus.dispatch(new Request({ n: 1 })));
  door.open();
  await dispatch;
  expect(seen).toEqual(['alice', 'alice']);
});

test('context - each dispatch has its own, the first one leaks into none', async () => {
  await using bus = new EventBus();
  const seen: string[] = [];
  bus.on(Request, async ({ n }) => {
    await ticks(n % 3);
    seen.push(`${n} ${String(user.getStore())}`);
  });
  for (let n = 0; n < 10; n += 1) user.run(`user${n}`, () => void bus.dispatch(new Request({ n })));
  bus.dispatch(new Request({ n: 10 }));
  await bus.waitUntilIdle();
  expect(seen).toEqual([...Array.from({ length: 10 }, (_, n) => `${n} user${n}`), '10 undefined']);
});

test('context - flows through children, forwards and handlers side by side, with parents and bus intact', async () => {
  await using a = new EventBus({ parallelHandlers: true });
  await using b = new EventBus();
  const seen: unknown[] = [];
  a.on('*', b.dispatch);
  for (let i = 0; i < 2; i += 1) {
    a.on(Request, async ({ n }, { bus }) => {
      await ticks(2);
      if (n < 3) await bus.dispatch(new Request({ n: n + 1 }));
    });
  }
  b.on(
    Request,
    (event) => void seen.push([event.n, user.getStore(), event.event_bus === b, event.event_parent_id === null]),
  );
  await user.run('bob', () => a.dispatch(new Request({ n: 1 })));
  expect(seen).toHaveLength(1 + 2 + 4);
  for (const [n, store, onB, isRoot] of seen as [number, string, boolean, boolean][]) {
    expect([store, onB, isRoot]).toEqual(['bob', true, n === 1]);
  }
});

test('context - a change by one handler reaches neither siblings nor the parent nor the dispatcher', async () => {
  await using bus = new EventBus();
  const seen: (string | undefined)[] = [];
  bus.on(Request, async () => {
    user.enterWith('changed by the first');
    await bus.dispatch(new Inner());
    await ticks(1);
  });
  bus.on(Request, () => void seen.push(user.getStore()));
  bus.on(Inner, () => {
    seen.push(user.getStore());
    user.enterWith('changed by the child');
  });
  bus.on('*', () => void seen.push(user.getStore()));
  await user.run('carol', async () => {
    await bus.dispatch(new Request({ n: 1 }));
    seen.push(user.getStore());
  });
  expect(seen).toEqual(['changed by the first', 'changed by the first', 'carol', 'carol', 'carol']);
});

test('context - a handler that changes it synchronously changes it for itself alone', async () => {
  await using bus = new EventBus();
  const seen: (string | undefined)[] = [];
  bus.on(Request, () => user.enterWith('mine'));
  bus.on(Request, () => void seen.push(user.getStore()));
  await user.run('dave', () => bus.dispatch(new Request({ n: 1 })));
  bus.dispatch(new Request({ n: 2 }));
  await bus.waitUntilIdle();
  seen.push(user.getStore());
  expect(seen).toEqual(['dave', undefined, undefined]);
});

test('context - an await in a handler goes on in the handler’s own', async () => {
  await using bus = new EventBus();
  await using other = new EventBus();
  other.on(Inner, () => user.enterWith('inner'));
  bus.on(Request, async () => {
    await other.dispatch(new Inner());
    return user.getStore();
  });
  expect(await user.run('erin', () => bus.dispatch(new Request({ n: 1 }))).eventResult()).toBe('erin');
});

test('context - a bus made inside a handler is no part of it', async () => {
  await using outer = new EventBus();
  let inner: EventBus | undefined;
  const running: string[] = [];
  outer.on(Request, async ({ n }) => {
    inner ??= new EventBus();
    const own = inner;
    own.on(
      Inner,
      async () => {
        running.push('inner start');
        await ticks(3);
        running.push('inner end');
      },
      { once: true },
    );
    own.dispatch(new Inner(), { detached: true });
    running.push(`outer ${n}`);
  });
  await outer.dispatch(new Request({ n: 1 }));
  await inner?.waitUntilIdle();
  const later = new Inner();
  await inner?.dispatch(later);
  expect(later.event_parent_id).toBeNull();
  expect(running).toEqual(['outer 1', 'inner start', 'inner end']);
  await inner?.stop();
});

test('context - two handlers of one parallel event keep their children apart after awaits', async () => {
  await using bus = new EventBus({ parallelHandlers: true });
  const own = ['x', 'y'];
  for (const name of own) {
    bus.on(Request, async () => {
      await ticks(2);
      user.enterWith(name);
      await ticks(2);
      return [name, user.getStore(), (await bus.dispatch(new Inner())).event_parent_id];
    });
  }
  const event = await bus.dispatch(new Request({ n: 1 }));
  expect(await event.eventResultsList()).toEqual(own.map((name) => [name, name, event.event_id]));
});
