import { inspect } from 'node:util';
import { BaseEvent, type Handler, type HandlerContext } from '@threadbus/core';
import { retry } from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { nextTurn } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Ping = BaseEvent.extend('Ping', {});

test('handler - is called without this: a method that lost its object fails as it would anywhere', async () => {
  const bus = quietBus();
  class Service {
    greeting = 'hello';
    greet(): string {
      return this.greeting;
    }
  }
  // oxlint-disable-next-line typescript/unbound-method -- the mistake that this is about
  const { greet } = new Service();
  bus.on(Ping, greet);
  bus.on(Ping, function own(this: unknown) {
    return this === undefined;
  });
  const event = await bus.dispatch(new Ping({}));
  const [lost, own] = [...event.event_results.values()];
  expect(lost?.error).toBeInstanceOf(TypeError);
  expect(own?.result).toBe(true);
});

test('handler - what limits calls by their this sees one and the same on all buses', async () => {
  let running = 0;
  let most = 0;
  const work = retry({ retries: 0, semaphoreLimit: 1, semaphoreScope: 'self' })(async function work() {
    running += 1;
    most = Math.max(most, running);
    await nextTurn();
    running -= 1;
  });
  const buses = [quietBus(), quietBus()];
  for (const bus of buses) bus.on(Ping, work);
  await Promise.all(buses.map((bus) => bus.dispatch(new Ping({}))));
  expect(most).toBe(1);
});

test('handler - its context is a plain object with signal and bus, and nothing else, that can be copied', async () => {
  const bus = quietBus();
  bus.on(Ping, (_event, context) => {
    const copy = { ...context, db: 'db' };
    return [
      Object.getPrototypeOf(context) === Object.prototype,
      Object.keys(copy),
      copy.signal instanceof AbortSignal && copy.signal === context.signal,
      copy.bus === bus,
    ];
  });
  expect(await bus.dispatch(new Ping({})).eventResult()).toEqual([true, ['signal', 'bus', 'db'], true, true]);
});

test('handler - contexts share what they are made of: none gets a hidden class, which would keep its run in memory', async () => {
  const bus = quietBus();
  const contexts: HandlerContext[] = [];
  bus.on(Ping, (_event, context) => void contexts.push(context));
  await Promise.all([new Ping({}), new Ping({})].map((event) => bus.dispatch(event)));
  const [first, second] = contexts.map((context) => Object.getOwnPropertyDescriptor(context, 'signal'));
  expect(first).toHaveProperty('get');
  expect(second).toEqual(first);
  expect(second?.get === first?.get).toBe(true);
  expect(contexts[1]?.signal).not.toBe(contexts[0]?.signal);
  expect(inspect(contexts[0])).not.toContain('threadbus.run');
});

test('handler - the signal can be read through an object made from the context', async () => {
  const bus = quietBus();
  bus.on(Ping, (_event, context) => {
    const inherited = Object.create(context) as HandlerContext;
    const proxy = new Proxy(context, {});
    return [inherited.signal === context.signal, proxy.signal === context.signal];
  });
  expect(await bus.dispatch(new Ping({})).eventResult()).toEqual([true, true]);
});

test('handler - a signal can be put in the place of the context’s own', async () => {
  const bus = quietBus();
  const both = new AbortController();
  bus.use((_event, context, next) => {
    Object.assign(context, { signal: AbortSignal.any([context.signal, both.signal]) });
    return next();
  });
  bus.on(Ping, (_event, { signal }) => {
    both.abort();
    return signal.aborted;
  });
  expect(await bus.dispatch(new Ping({})).eventResult()).toBe(true);
});

test('handler - the signal of a copied context aborts with the handler', async () => {
  const bus = quietBus();
  let copied: AbortSignal | null = null;
  bus.on(Ping, async (_event, context) => {
    const { signal } = { ...context };
    copied = signal;
    await new Promise(() => undefined);
  });
  const dispatch = bus.dispatch(new Ping({}, { event_timeout: 0.01 }));
  await dispatch;
  expect((copied as AbortSignal | null)?.aborted).toBe(true);
});

test('handler - whatever way it has to its context, it gets one each time', async () => {
  const seen = (context: unknown): boolean => (context as HandlerContext | undefined)?.signal instanceof AbortSignal;
  type Any = (...args: never[]) => unknown;
  const inner = (_event: unknown, context: unknown): boolean => seen(context);
  const forms: Record<string, Any> = {
    rest: (...args: unknown[]) => seen(args[1]),
    'rest in a pattern': (...[, context]: unknown[]) => seen(context),
    default: (_event: unknown, context: unknown = null) => seen(context),
    'default of the event': (_event: unknown = null, context: unknown = null) => seen(context),
    arguments: function () {
      // oxlint-disable-next-line prefer-rest-params -- that is what is tried
      return seen(arguments[1]);
    },
    'arguments of one parameter': function (_event: unknown) {
      // oxlint-disable-next-line prefer-rest-params -- that is what is tried
      return seen(arguments[1]);
    },
    bound: inner.bind(null),
    wrapped: (...args: [unknown, unknown]) => inner(...args),
    proxy: new Proxy(inner, {}),
    async: async (...args: unknown[]) => seen(args[1]),
  };
  for (const [form, handler] of Object.entries(forms)) {
    const bus = quietBus();
    bus.on(Ping, handler as Handler);
    const answers: unknown[] = [];
    for (let call = 0; call < 3; call += 1) answers.push(await bus.dispatch(new Ping({})).eventResult());
    expect([form, new Set(answers)]).toEqual([form, new Set([true])]);
  }
});

test('handler - one that can see nothing but its event is still wrapped by middleware with the context', async () => {
  const bus = quietBus();
  bus.on(Ping, () => 'pong');
  bus.on(Ping, async (event) => event.event_type);
  bus.on(Ping, async function plain({ event_type }) {
    return event_type;
  });
  const take = async (): Promise<unknown[]> => bus.dispatch(new Ping({})).eventResultsList();
  for (let call = 0; call < 3; call += 1) expect(await take()).toEqual(['pong', 'Ping', 'Ping']);
  const signals = new Set<unknown>();
  bus.use((_event, context, next) => {
    signals.add(context.signal);
    return next();
  });
  expect(await take()).toEqual(['pong', 'Ping', 'Ping']);
  expect([...signals].map((signal) => signal instanceof AbortSignal)).toEqual([true, true, true]);
});
