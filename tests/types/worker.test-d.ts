import {
  BaseEvent,
  EventBus,
  type EventBusOptions,
  type Forward,
  type HandlerContext,
  type Subscription,
} from '@threadbus/core';
import {
  exposeBus,
  HandlerPool,
  parentBus,
  type PoolHandler,
  type TimeSummary,
  transfer,
  WorkerBus,
  WorkerBusGroup,
  WorkerCrashedError,
  type WorkerStartError,
  isWorkerCrashedError,
  isWorkerStartError,
  type BusReference,
} from '@threadbus/worker';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type { Double } from '../fixtures/worker/events.ts';

class Add extends BaseEvent.extend('Add', { a: z.number() }, { result: z.number() }) {}
class Note extends BaseEvent.extend('Note', { text: z.string() }) {}

declare const url: URL;
declare const Doubled: typeof Double;
declare const main: EventBus;
declare const bus: WorkerBus;
declare const group: WorkerBusGroup;
declare const pool: HandlerPool;

test('worker types - start takes its options and gives a bus', () => {
  const options = { parent: main, workerData: { any: 'thing' }, restart: 'never', unresponsiveTimeout: null } as const;
  expectTypeOf(WorkerBus.start(url, options)).resolves.toEqualTypeOf<WorkerBus>();
  expectTypeOf(WorkerBus.start('file:///bus.js')).resolves.toEqualTypeOf<WorkerBus>();
  // @ts-expect-error no such policy
  void WorkerBus.start(url, { restart: 'always' });
  // @ts-expect-error a WorkerBus is no parent: it lives elsewhere
  void WorkerBus.start(url, { parent: bus });
  // @ts-expect-error misspelt
  void WorkerBus.start(url, { startTimeOut: 1 });
  // @ts-expect-error the entry is missing
  void WorkerBus.start();
  // @ts-expect-error made by start only
  void new WorkerBus();
});

test('worker types - dispatch, results and handlers as on an EventBus', () => {
  expectTypeOf(bus.dispatch).toEqualTypeOf<Forward>();
  expectTypeOf(bus.dispatch(new Add({ a: 1 })).eventResult()).resolves.toEqualTypeOf<number>();
  expectTypeOf(bus.on(Add, (event) => event.a)).toEqualTypeOf<Subscription>();
  expectTypeOf(bus.expect(Note)).resolves.toEqualTypeOf<Note>();
  main.on(Add, bus.dispatch);
  bus.on('*', main.dispatch);
  // @ts-expect-error the handler's result is a number
  bus.on(Add, () => 'text');
  // @ts-expect-error no such field
  bus.on(Note, (event) => void event.title);
  // @ts-expect-error no event
  bus.dispatch({ a: 1 });
  // @ts-expect-error fixed
  bus.name = 'Other';
});

test('worker types - the control calls', () => {
  expectTypeOf(bus.waitUntilIdle({ timeout: 1 })).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(bus.logTree()).resolves.toEqualTypeOf<string>();
  expectTypeOf(bus.stop({ timeout: 1, clear: true })).resolves.toEqualTypeOf<void>();
  expectTypeOf(bus.threadId).toEqualTypeOf<number>();
  expectTypeOf(bus.failure).toEqualTypeOf<Error | null>();
  expectTypeOf<WorkerBus>().toExtend<AsyncDisposable>();
  // @ts-expect-error seconds are a number
  void bus.stop({ timeout: '1s' });
  // @ts-expect-error misspelt
  void bus.waitUntilIdle({ timeOut: 1 });
  // @ts-expect-error a promise: the answer comes from another thread
  expectTypeOf(bus.logTree()).toBeString();
});

test('worker types - groups', () => {
  void WorkerBusGroup.start(url, { size: 2, route: (event) => event.event_id, parent: main });
  void WorkerBusGroup.start(url, { size: 2, route: 'least-busy' });
  expectTypeOf(group.broadcast(new Add({ a: 1 })).eventResultsList()).resolves.toEqualTypeOf<number[]>();
  main.on(Note, group.dispatch);
  // @ts-expect-error a size is needed
  void WorkerBusGroup.start(url, { route: 'round-robin' });
  // @ts-expect-error no such route
  void WorkerBusGroup.start(url, { size: 2, route: 'random' });
  // @ts-expect-error a key is a string or a number
  void WorkerBusGroup.start(url, { size: 2, route: () => ({}) });
});

test('worker types - pools', () => {
  main.on(Note, pool.handler(url));
  main.on(Add, pool.handler<number>(url, { ordered: true }));
  expectTypeOf(pool.handler<number>(url)).toEqualTypeOf<PoolHandler<number>>();
  // @ts-expect-error the event's results are numbers
  main.on(Add, pool.handler<string>(url));
  // @ts-expect-error misspelt
  pool.handler(url, { order: true });
  // @ts-expect-error a module, not a function
  pool.handler(() => 1);
  // @ts-expect-error misspelt
  void new HandlerPool({ threads: 2 });
});

test('worker types - a pool handler of a module is checked against the event that it is registered for', () => {
  // oxlint-disable-next-line typescript/consistent-type-imports -- as users write it
  type Typed = typeof import('../fixtures/worker/typed-tasks.js');
  main.on(Doubled, pool.handler<Typed>(url));
  expectTypeOf(pool.handler<Typed>(url)).toEqualTypeOf<PoolHandler<number, Double>>();
  main.on(Add, pool.handler<{ default: (event: Add) => number }>(url));
  main.on(Add, pool.handler<{ default: (event: BaseEvent) => Promise<void> }>(url));
  main.on(Add, pool.handler<{ default: () => Promise<number> }>(url));
  main.on(Add, pool.handler<{ default: { default: (event: Add) => number } }>(url));
  main.on(Add, pool.handler<{ default: (event?: Add) => number | Promise<number> }>(url));
  main.on(Add, pool.handler<{ default: (event: Add | Note, context: HandlerContext) => Promise<number | null> }>(url));
  main.on(Add, pool.handler<{ default: (event: { readonly a: number }) => number }>(url));
  main.on(Note, pool.handler<{ default: (event: Note) => Promise<Uint8Array> }>(url));
  main.on('*', pool.handler<{ default: (event: BaseEvent) => unknown }>(url));
  // What has no types, as a module of plain JavaScript, is not checked.
  // oxlint-disable-next-line typescript/no-explicit-any -- what a module without types has
  main.on(Add, pool.handler<{ default: (event: any) => any }>(url));
  // oxlint-disable-next-line typescript/no-explicit-any -- the same
  main.on(Add, pool.handler<{ default: any }>(url));
  // @ts-expect-error another event
  main.on(Note, pool.handler<Typed>(url));
  // @ts-expect-error another event, in a CommonJS module
  main.on(Add, pool.handler<{ default: { default: (event: Note) => number } }>(url));
  // @ts-expect-error another result
  main.on(Add, pool.handler<{ default: (event: Add) => string }>(url));
  // @ts-expect-error another result of some calls
  main.on(Add, pool.handler<{ default: (event: Add) => Promise<number | string> }>(url));
  // @ts-expect-error no event
  main.on(Note, pool.handler<{ default: (text: string) => void }>(url));
  // @ts-expect-error another field
  main.on(Note, pool.handler<{ default: (event: { readonly a: number }) => void }>(url));
  // @ts-expect-error an event of one type alone, for those of all
  main.on('*', pool.handler<{ default: (event: Note) => void }>(url));
  // @ts-expect-error the context is no text
  main.on(Note, pool.handler<{ default: (event: Note, context: string) => void }>(url));
  // @ts-expect-error nobody gives it a third argument
  main.on(Note, pool.handler<{ default: (event: Note, context: HandlerContext, third: string) => void }>(url));
  // @ts-expect-error a class is no handler
  main.on(Note, pool.handler<{ default: new (event: Note) => object }>(url));
  // @ts-expect-error nor is an object
  main.on(Note, pool.handler<{ default: { run: (event: Note) => void } }>(url));
  // @ts-expect-error the function's type in place of its module's
  main.on(Note, pool.handler<(event: Note) => void>(url));
  // @ts-expect-error another result, later
  main.on(Add, pool.handler<{ default: (event: Add) => Promise<{ sum: number }> }>(url));
  // @ts-expect-error an optional result is fine, one that may be a text is not
  main.on(Add, pool.handler<{ default: (event: Add) => Promise<number | string> }>(url));
});

test('worker types - numbers of pools, and results that move', () => {
  expectTypeOf(pool.stats().waitTime).toEqualTypeOf<TimeSummary | null>();
  expectTypeOf(pool.stats().running).toEqualTypeOf<number>();
  expectTypeOf(pool.ready()).resolves.toEqualTypeOf<void>();
  const bytes = new Uint8Array(1);
  expectTypeOf(transfer({ bytes }, [bytes.buffer])).toEqualTypeOf<{ bytes: Uint8Array<ArrayBuffer> }>();
  // @ts-expect-error no such number
  void pool.stats().queued;
  // @ts-expect-error an array
  transfer(bytes, bytes.buffer);
  // @ts-expect-error what holds the bytes
  transfer(bytes, [1]);
});

test('worker types - in the thread', () => {
  exposeBus(new EventBus({ name: 'Index' } satisfies EventBusOptions));
  expectTypeOf(parentBus()).toEqualTypeOf<BusReference>();
  parentBus().on(Add, ({ a }) => a + 1);
  // @ts-expect-error a bus of this thread is exposed, not a reference to another
  exposeBus(bus);
  // @ts-expect-error whoever made the parent stops it
  expectTypeOf(parentBus()).toHaveProperty('stop');
});

test('worker types - errors', () => {
  const error: unknown = new WorkerCrashedError('gone');
  if (isWorkerCrashedError(error)) expectTypeOf(error).toEqualTypeOf<WorkerCrashedError>();
  expectTypeOf(isWorkerStartError).guards.toEqualTypeOf<WorkerStartError>();
  // @ts-expect-error unknown until it was asked for
  expectTypeOf(error).toEqualTypeOf<WorkerCrashedError>();
});
