import {
  type AnyEvent,
  BaseEvent,
  type Dispatch,
  EventBus,
  type EventConstructor,
  type Handler,
  type HandlerContext,
  type RunningBus,
  type Subscription,
} from '@threadbus/core';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';

class Add extends BaseEvent.extend('Add', { a: z.number(), b: z.number() }, { result: z.number() }) {}
class Login extends BaseEvent.extend('Login', { name: z.string() }) {}
declare const bus: EventBus;
declare const other: EventBus;

test('handler - event, context and result are inferred from the class', () => {
  bus.on(Add, (event, context) => {
    expectTypeOf(event).toEqualTypeOf<Add>();
    expectTypeOf(event.a).toEqualTypeOf<number>();
    expectTypeOf(context).toEqualTypeOf<HandlerContext>();
    expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(context.bus).toEqualTypeOf<RunningBus>();
    return event.a + event.b;
  });
  expectTypeOf(bus.on(Add, ({ a, b }) => a + b)).toEqualTypeOf<Subscription>();
  // @ts-expect-error no such field
  bus.on(Add, (event) => void event.c);
  // @ts-expect-error no such member of the context
  bus.on(Add, (_event, { abort }) => void abort);
});

test('handler - may return the result, nothing, or a Dispatch, now or later', () => {
  bus.on(Add, () => 5);
  bus.on(Add, async () => 5);
  bus.on(Add, () => null);
  bus.on(Add, async () => undefined);
  bus.on(Add, () => {});
  bus.on(Add, (event) => other.dispatch(event));
  // @ts-expect-error another type
  bus.on(Add, () => 'five');
  // @ts-expect-error another type, later
  bus.on(Add, async () => 'five');
  // @ts-expect-error another type in one branch
  bus.on(Add, ({ a }) => (a > 1 ? 1 : 'one'));
  // @ts-expect-error a list is no number
  bus.on(Add, () => [5]);
});

const Parsed = z.object({
  n: z.coerce.number(),
  size: z.number().default(1),
  at: z.iso.datetime().transform((text) => new Date(text)),
});
class Parse extends BaseEvent.extend('Parse', {}, { result: Parsed }) {}

test('handler - returns what the result type takes; the result is what that makes of it', async () => {
  bus.on(Parse, () => ({ n: '4', at: '2026-01-01T00:00:00Z' }));
  bus.on(Parse, async () => ({ n: 4, size: 2, at: '2026-01-01T00:00:00Z' }));
  const result = await bus.dispatch(new Parse({})).eventResult();
  expectTypeOf(result).toEqualTypeOf<{ n: number; size: number; at: Date }>();
  // @ts-expect-error a field is missing
  bus.on(Parse, () => ({ n: 4 }));
  // @ts-expect-error the output is no input
  bus.on(Parse, () => ({ n: 4, at: new Date() }));
});

test('handler - functions over classes, and a list of classes, keep their types', () => {
  const listen = <E extends BaseEvent>(Class: EventConstructor<E>, handler: Handler<E>): Subscription =>
    bus.on(Class, handler);
  listen(Add, ({ a }) => a);
  // @ts-expect-error another result
  listen(Add, () => 'one');
  for (const Class of [Add, Login]) {
    bus.on(Class, other.dispatch);
    bus.on(Class, (event) => expectTypeOf(event).toEqualTypeOf<Add | Login>());
    // @ts-expect-error not all of them have it
    bus.on(Class, (event) => void event.a);
  }
});

test('handler - of an event without result type may return anything', () => {
  bus.on(Login, ({ name }) => name);
  bus.on(Login, async ({ name }) => ({ name }));
  bus.on(Login, () => undefined);
  // @ts-expect-error but its event is typed
  bus.on(Login, ({ nope }) => nope);
});

test('handler - of a string pattern gets an event of which only the type is known', () => {
  bus.on('Anything', (event) => {
    expectTypeOf(event).toEqualTypeOf<AnyEvent>();
    expectTypeOf(event['field']).toBeUnknown();
    expectTypeOf(event.event_id).toBeString();
  });
  bus.on('*', ({ event_type }) => event_type);
  // @ts-expect-error what it is must be checked first
  bus.on('Anything', (event) => void event['field'].length);
  // @ts-expect-error no pattern
  bus.on(5, () => 1);
  // @ts-expect-error no pattern
  bus.on(Date, () => 1);
});

test('handler - a forward can be registered for any pattern', () => {
  bus.on('*', other.dispatch);
  bus.on(Add, other.dispatch);
  bus.on('Add', other.dispatch, { once: true });
  // @ts-expect-error a bus is no handler
  bus.on('*', other);
  // @ts-expect-error a Dispatch is no handler
  bus.on(Add, other.dispatch(new Add({ a: 1, b: 2 })));
});

test('handler - methods fit, and functions of any event', () => {
  class Service {
    readonly handle = (event: Add): number => event.a;
    static label(event: Login): string {
      return event.name;
    }
  }
  bus.on(Add, new Service().handle);
  bus.on(Login, (event) => Service.label(event));
  bus.on('*', (event: BaseEvent) => event.event_type);
  // @ts-expect-error a handler of another event
  bus.on(Login, new Service().handle);
});

test('handler - options', () => {
  bus.on(Add, () => 1, { once: true, signal: AbortSignal.timeout(5) });
  bus.off(Add);
  bus.off('*', () => 1);
  // @ts-expect-error no such option
  bus.on(Add, () => 1, { onec: true });
  // @ts-expect-error another type
  bus.on(Add, () => 1, { signal: new AbortController() });
  // @ts-expect-error no handler
  bus.off(Add, 'handler');
});

test('handler - dispatch infers its event', () => {
  expectTypeOf(bus.dispatch(new Add({ a: 1, b: 2 }))).toEqualTypeOf<Dispatch<Add>>();
  expectTypeOf(bus.dispatch(new Add({ a: 1, b: 2 })).event).toEqualTypeOf<Add>();
  expectTypeOf(bus.dispatch(new Login({ name: 'a' }))).resolves.toEqualTypeOf<Login>();
  expectTypeOf(bus.dispatch(new Login({ name: 'a' }), { detached: true }).event.name).toBeString();
  // @ts-expect-error a class is no event
  bus.dispatch(Add);
  // @ts-expect-error a payload is no event
  bus.dispatch({ a: 1, b: 2 });
  // @ts-expect-error no such option
  bus.dispatch(new Login({ name: 'a' }), { detach: true });
});

test('handler - expect and find infer their event, in filters as well', () => {
  expectTypeOf(bus.expect(Add)).resolves.toEqualTypeOf<Add>();
  expectTypeOf(bus.expect('Add')).resolves.toEqualTypeOf<AnyEvent>();
  expectTypeOf(bus.expect(Add, { include: ({ a }) => a > 1, timeout: 5 })).resolves.toEqualTypeOf<Add>();
  expectTypeOf(bus.find(Add)).resolves.toEqualTypeOf<Add | null>();
  expectTypeOf(bus.find(Add, { past: 10, future: true, where: ({ b }) => b > 1 })).resolves.toEqualTypeOf<Add | null>();
  // @ts-expect-error no such field
  void bus.expect(Add, { include: ({ c }) => c > 1 });
  // @ts-expect-error no such option
  void bus.expect(Add, { timout: 5 });
  // @ts-expect-error a filter gives true or false
  void bus.find(Add, { where: () => 'yes' });
  // @ts-expect-error may be null
  const found: Promise<Add> = bus.find(Add);
  void found;
});

test('handler - options of a bus', () => {
  void new EventBus({ name: 'A', maxHistorySize: null, maxPending: 5, parallelHandlers: true, logger: console });
  // @ts-expect-error no such option
  void new EventBus({ maxHistory: 5 });
  // @ts-expect-error another type
  void new EventBus({ maxPending: '5' });
  // @ts-expect-error no logger
  void new EventBus({ logger: { info: () => undefined } });
});
