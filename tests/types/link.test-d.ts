import { BaseEvent, EventBus } from '@threadbus/core';
import { type LinkedBus, linkBuses, registerErrorClass, registerPortableContext } from '@threadbus/worker';
import { AsyncLocalStorage } from 'node:async_hooks';
import { MessageChannel } from 'node:worker_threads';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';

const Add = BaseEvent.extend('Add', { a: z.number() }, { result: z.number() });

test('linkBuses - gives a reference that types as a bus does', async () => {
  const bus = new EventBus();
  const { port1 } = new MessageChannel();
  const linking = linkBuses(bus, port1, { maxInFlight: 8 });
  expectTypeOf(await linking).toEqualTypeOf<LinkedBus>();
  expectTypeOf(linking.dispatch(new Add({ a: 1 })).eventResult()).toEqualTypeOf<Promise<number>>();
  linking.on(Add, ({ a }) => a);
  bus.on(Add, linking.dispatch);
  expectTypeOf(linking.expect(Add)).toEqualTypeOf<Promise<InstanceType<typeof Add>>>();
  // @ts-expect-error -- a result of another type
  linking.on(Add, () => 'text');
  // @ts-expect-error -- no such field
  linking.on(Add, (event) => void event.b);
  // @ts-expect-error -- no port
  linkBuses(bus, {});
  // @ts-expect-error -- no event
  linking.dispatch({ a: 1 });
});

test('registerErrorClass - takes classes of errors alone', () => {
  class Custom extends Error {
    readonly amount: number;
    constructor(amount: number) {
      super('custom');
      this.amount = amount;
    }
  }
  registerErrorClass(Custom);
  // @ts-expect-error -- no error
  registerErrorClass(Map);
  // @ts-expect-error -- an instance
  registerErrorClass(new Custom(1));
});

test('registerPortableContext - the value is what capture gives', () => {
  const store = new AsyncLocalStorage<string>();
  const capture = (): string | undefined => store.getStore();
  const remove = registerPortableContext({ name: 'id', capture, run: (id, inside) => store.run(id, inside) });
  expectTypeOf(remove).toEqualTypeOf<() => void>();
  // @ts-expect-error -- without a name
  registerPortableContext({ capture, run: (id: string, inside) => store.run(id, inside) });
  registerPortableContext<string>({
    name: 'id',
    capture,
    // @ts-expect-error -- another type
    run: (id: number, inside) => store.run(String(id), inside),
  });
});
