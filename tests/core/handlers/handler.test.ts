import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, ticks } from '../../helpers/gate.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';
import { thrown } from '../../helpers/thrown.ts';

const Ping = BaseEvent.extend('Ping', {});
const Pong = BaseEvent.extend('Pong', {});

test('handler - class, type and * each get the events that match', async () => {
  await using bus = new EventBus();
  const seen: string[] = [];
  bus.on(Ping, ({ event_type }) => void seen.push(`class ${event_type}`));
  bus.on('Ping', ({ event_type }) => void seen.push(`string ${event_type}`));
  bus.on('*', ({ event_type }) => void seen.push(`* ${event_type}`));
  await bus.dispatch(new Ping());
  await bus.dispatch(new Pong());
  expect(seen).toEqual(['class Ping', 'string Ping', '* Ping', '* Pong']);
});

test('handler - sync and async ones, and whatever else gives a promise, have their value recorded', async () => {
  await using bus = new EventBus();
  class Thenable {
    // oxlint-disable-next-line unicorn/no-thenable -- that is what the test is about
    then(done: (value: string) => void): void {
      done('thenable');
    }
  }
  bus.on(Ping, () => 'sync');
  bus.on(Ping, async () => 'async');
  bus.on(Ping, () => Promise.resolve('promise'));
  bus.on(Ping, () => new Thenable() as never);
  expect(await bus.dispatch(new Ping()).eventResultsList()).toEqual(['sync', 'async', 'promise', 'thenable']);
});

test('handler - methods of instances and classes work and see their state', async () => {
  class Service {
    static label = 'static';
    label = 'instance';
    method(): string {
      return this.label;
    }
    arrow = (): string => this.label;
    static method(): string {
      return this.label;
    }
  }
  await using bus = new EventBus();
  const service = new Service();
  bus.on(Ping, service.method.bind(service));
  bus.on(Ping, service.arrow);
  bus.on(Ping, Service.method.bind(Service));
  const event = await bus.dispatch(new Ping());
  expect(await event.eventResultsList()).toEqual(['instance', 'instance', 'static']);
  expect([...event.event_results.values()].map(({ handler_name }) => handler_name)).toEqual([
    'method',
    'arrow',
    'method',
  ]);
});

test('handler - those of the type run before those of *, each in the order of registration', async () => {
  await using bus = new EventBus();
  const order: string[] = [];
  bus.on('*', () => void order.push('* 1'));
  bus.on(Ping, () => void order.push('type 1'));
  bus.on('*', () => void order.push('* 2'));
  bus.on('Ping', () => void order.push('type 2'));
  await bus.dispatch(new Ping());
  expect(order).toEqual(['type 1', 'type 2', '* 1', '* 2']);
});

test('handler - a second one of the same name is warned of, and both run', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ name: 'Names', logger });
  const make = (value: string): (() => string) => {
    const handle = (): string => value;
    return handle;
  };
  bus.on(Ping, make('a'));
  bus.on(Ping, make('b'));
  const event = await bus.dispatch(new Ping());
  expect(await event.eventResultsList()).toEqual(['a', 'b']);
  expect(event.event_results.size).toBe(2);
  expect(logger.warnings).toEqual([
    'Names: a handler named "handle" is already registered for \'Ping\'; both will run.',
  ]);
});

test('handler - neither the same function twice nor unnamed ones are warned of', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ logger });
  const handle = (): number => 1;
  bus.on(Ping, handle);
  bus.on(Ping, handle);
  bus.on(Ping, () => 2);
  bus.on(Ping, () => 3);
  expect(logger.warnings).toEqual([]);
  expect(await bus.dispatch(new Ping()).eventResultsList()).toEqual([1, 2, 3]);
});

test('handler - one function runs once per event and bus, however often it is registered', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  const seen: string[] = [];
  const handle = (event: BaseEvent): void => void seen.push(event.event_bus.id);
  for (const bus of [a, b]) for (const pattern of [Ping, 'Ping', '*', '*'] as const) bus.on(pattern as '*', handle);
  a.on('*', b.dispatch);
  const event = await a.dispatch(new Ping());
  expect(seen).toEqual([a.id, b.id]);
  expect(event.event_results.size).toBe(3);
});

test.each([
  [5, 'got 5 (number)'],
  ['handle', 'got the string "handle"'],
  [{ handle: () => 1 }, 'got an object (Object)'],
  [undefined, 'got undefined'],
  [null, 'got null'],
])('handler - %o is no handler', async (handler, text) => {
  await using bus = new EventBus({ name: 'Picky' });
  const error = thrown(() => bus.on(Ping, handler as never));
  expect(error).toBeInstanceOf(TypeError);
  expect(error.message.startsWith(`Expected a handler for 'Ping' on Picky to be a function; ${text}.`)).toBe(true);
});

test.each([
  [5, 'got 5 (number)'],
  [Date, 'got the function Date'],
  [{}, 'got an object (Object)'],
  [undefined, 'got undefined'],
  [/Ping/, 'got an object (RegExp)'],
])('handler - %o is no pattern', (pattern, text) => {
  const bus = new EventBus();
  for (const call of [() => bus.on(pattern as unknown as string, () => 1), () => bus.off(pattern as never)]) {
    const error = thrown(call);
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(
      `Expected a pattern to be an event class, an event type such as 'UserCreated', a prefix such as 'user.*', or '*'; ${text}.`,
    );
  }
});

test('handler - a text that can be no type is refused with the rule', () => {
  const bus = new EventBus();
  for (const pattern of ['User*', '', '**', 'a b', '.*', 'a b.*', '*.a']) {
    const error = thrown(() => bus.on(pattern, () => 1));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(`got the string "${pattern}". Types are at most 128 letters`);
  }
});

test('handler - a class matches by its type, not by inheritance', async () => {
  const Parent = BaseEvent.extend('Parent', {});
  const Child = Parent.extend('Child', {});
  class Renamed extends Parent {}
  await using bus = new EventBus();
  const seen: string[] = [];
  bus.on(Parent, ({ event_type }) => void seen.push(`parent ${event_type}`));
  bus.on(BaseEvent, ({ event_type }) => void seen.push(`base ${event_type}`));
  await bus.dispatch(new Child());
  expect(seen).toEqual([]);
  await bus.dispatch(new Renamed());
  await bus.dispatch(new BaseEvent());
  expect(seen).toEqual(['parent Parent', 'base BaseEvent']);
});

test('handler - a class with a type of its own matches its events', async () => {
  class Login extends BaseEvent.extend('user_login', { name: z.string() }) {}
  await using bus = new EventBus();
  bus.on(Login, ({ name }) => name);
  expect(await bus.dispatch(new Login({ name: 'alice' })).eventResult()).toBe('alice');
});

test('handler - matching is fixed when processing starts', async () => {
  await using bus = new EventBus();
  const seen: string[] = [];
  const door = gate();
  bus.on(Pong, () => door.opened);
  bus.dispatch(new Pong());
  const queued = bus.dispatch(new Ping());
  await ticks();
  bus.on(Ping, () => {
    seen.push('added while queued');
    bus.on(Ping, () => void seen.push('added while running'));
  });
  bus.on(Ping, () => void seen.push('second'));
  door.open();
  await queued;
  expect(seen).toEqual(['added while queued', 'second']);
});

test('handler - one that is taken off while the event is queued is not called', async () => {
  await using bus = new EventBus();
  const seen: string[] = [];
  const door = gate();
  bus.on(Pong, () => door.opened);
  const off = bus.on(Ping, () => void seen.push('gone'));
  const later = bus.on(Ping, () => void seen.push('kept: processing had started'));
  bus.on(Ping, () => later());
  bus.dispatch(new Pong());
  const queued = bus.dispatch(new Ping());
  off();
  door.open();
  await queued;
  expect(seen).toEqual(['kept: processing had started']);
});

test('handler - gets the very event that was dispatched, a signal and its bus', async () => {
  await using bus = new EventBus();
  const event = new Ping();
  let got: unknown[] = [];
  bus.on(Ping, (own, { signal, bus: runningBus }) => {
    got = [own === event, signal.aborted, runningBus === bus, own.event_bus === bus];
  });
  await bus.dispatch(event);
  expect(got).toEqual([true, false, true, true]);
});

test('handler - nothing returned is a null result that completed', async () => {
  await using bus = new EventBus();
  bus.on(Ping, () => undefined);
  const event = await bus.dispatch(new Ping());
  const [result] = event.event_results.values();
  expect([result?.status, result?.result, result?.error]).toEqual(['completed', null, null]);
});

test('handler - names: the function’s, without "bound", else anonymous; a forward’s is its bus and dispatch', async () => {
  await using bus = new EventBus();
  await using other = new EventBus({ name: 'Other' });
  function named(): void {}
  bus.on(Ping, named);
  bus.on(Ping, named.bind(null));
  bus.on(Ping, () => 1);
  bus.on(Ping, other.dispatch);
  const event = await bus.dispatch(new Ping());
  const names = [...event.event_results.values()].map(({ handler_name }) => handler_name);
  expect(names).toEqual(['named', 'named', 'anonymous', 'Other.dispatch']);
});

test('handler - ids are unique on a bus and the same for all events of the handler', async () => {
  await using bus = new EventBus();
  bus.on(Ping, () => 1);
  bus.on(Ping, () => 2);
  const first = [...(await bus.dispatch(new Ping())).event_results.keys()];
  const second = [...(await bus.dispatch(new Ping())).event_results.keys()];
  expect(new Set(first).size).toBe(2);
  expect(second).toEqual(first);
});
