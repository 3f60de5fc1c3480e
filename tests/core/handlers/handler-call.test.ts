import { BaseEvent } from '@threadbus/core';
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
