import { type BaseEvent, isTimeoutError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Echo, Expected, Local, Trigger } from '../fixtures/worker/conformance-events.ts';
import { gate, rejection } from '../helpers/gate.ts';
import type { Subject } from './subject.ts';

/** on, off, once and expect, of whoever is on this side. */
export function listeningTests(subject: () => Subject): void {
  test('on - a handler of this side runs here, its result shows under the bus’s name', async () => {
    const { bus } = subject();
    const seen: BaseEvent[] = [];
    using _subscription = bus.on(Local, function here(event) {
      seen.push(event);
      return event.n * 2;
    });
    const sent = new Local({ n: 21 });
    await bus.dispatch(sent);
    const result = [...sent.event_results.values()].find(({ handler_name }) => handler_name === 'here');
    expect(result).toMatchObject({ status: 'completed', result: 42, eventbus_name: bus.name });
    expect(seen).toEqual([sent]);
    expect(seen[0]).toBe(sent);
  });

  test('on - handlers of both sides give results, those of the class before "*"', async () => {
    const { bus } = subject();
    using _all = bus.on('*', function everything() {
      return 'all';
    });
    using _one = bus.on(Echo, function more() {
      return 'more';
    });
    const event = await bus.dispatch(new Echo({ value: 'echo' }));
    const names = [...event.event_results.values()].map(({ handler_name }) => handler_name);
    expect(names.indexOf('more')).toBeLessThan(names.indexOf('everything'));
    expect(new Set(await event.eventResultsList())).toEqual(new Set(['echo', 'more', 'all']));
  });

  test('on - an error of a handler on this side is the very object', async () => {
    const { bus } = subject();
    const mine = new Error('mine');
    using _subscription = bus.on(Local, () => {
      throw mine;
    });
    const error = await rejection(bus.dispatch(new Local({ n: 1 })).eventResult());
    expect(error.message).toBe('mine');
  });

  test('on - children of a handler on this side are the event’s, complete before it', async () => {
    const { bus, home } = subject();
    const children: BaseEvent[] = [];
    using _subscription = bus.on(Local, async () => {
      children.push(home.dispatch(new Echo({ value: 1 })).event, await bus.dispatch(new Echo({ value: 2 })));
    });
    const event = await bus.dispatch(new Local({ n: 1 }));
    expect(event.event_children).toEqual(children);
    expect(children.map(({ event_status }) => event_status)).toEqual(['completed', 'completed']);
    expect(children.map(({ event_parent_id }) => event_parent_id)).toEqual([event.event_id, event.event_id]);
  });

  test('on - the event’s bus is the one it was registered on', async () => {
    const { bus } = subject();
    let name = '';
    using _subscription = bus.on(Local, (event, context) => {
      name = `${event.event_bus.name} ${context.bus.name}`;
    });
    await bus.dispatch(new Local({ n: 1 }));
    expect(name).toBe(`${bus.name} ${bus.name}`);
  });

  test('off - nothing reaches the handler after it', async () => {
    const { bus } = subject();
    let count = 0;
    const handler = (): void => void (count += 1);
    const subscription = bus.on(Local, handler);
    await bus.dispatch(new Local({ n: 1 }));
    subscription();
    await bus.dispatch(new Local({ n: 2 }));
    bus.on(Local, handler);
    bus.off(Local, handler);
    await bus.dispatch(new Local({ n: 3 }));
    const ending = new AbortController();
    bus.on(Local, handler, { signal: ending.signal });
    ending.abort();
    await bus.dispatch(new Local({ n: 4 }));
    expect(count).toBe(1);
  });

  test('once - the first event takes the handler off', async () => {
    const { bus } = subject();
    let count = 0;
    bus.on(Local, () => void (count += 1), { once: true });
    await Promise.all([bus.dispatch(new Local({ n: 1 })), bus.dispatch(new Local({ n: 2 }))]);
    expect(count).toBe(1);
  });

  test('expect - resolves to the event when it is dispatched, filtered on this side', async () => {
    const { bus } = subject();
    const expected = bus.expect(Expected, { include: (event) => event.n === 2 });
    await bus.dispatch(new Trigger({ n: 1 }));
    await bus.dispatch(new Trigger({ n: 2 }));
    const event = await expected;
    expect(event).toBeInstanceOf(Expected);
    expect(event.n).toBe(2);
    await event.eventCompleted();
    expect(event.event_status).toBe('completed');
  });

  test('expect - it sees an event of this side before that is complete', async () => {
    const { bus } = subject();
    const door = gate();
    using _subscription = bus.on(Local, () => door.opened);
    const sent = new Local({ n: 7 });
    const expected = bus.expect('Local');
    const dispatch = bus.dispatch(sent);
    expect(await expected).toBe(sent);
    expect(sent.event_status).not.toBe('completed');
    door.open();
    await dispatch;
  });

  test('expect - ends with its time, its signal, and what a filter throws', async () => {
    const { bus } = subject();
    expect(isTimeoutError(await rejection(bus.expect(Expected, { timeout: 0.02 })))).toBe(true);
    const ending = new AbortController();
    const aborted = bus.expect(Expected, { signal: ending.signal });
    ending.abort(new Error('enough'));
    expect((await rejection(aborted)).message).toBe('enough');
    const thrown = bus.expect(Expected, {
      predicate: () => {
        throw new Error('filter');
      },
    });
    bus.dispatch(new Trigger({ n: 3 }));
    expect((await rejection(thrown)).message).toBe('filter');
  });

  test('events - each that matches, in order, from the call on; they complete here, too', async () => {
    const { bus } = subject();
    await bus.dispatch(new Trigger({ n: 1 }));
    const seen: number[] = [];
    let last: Expected | undefined;
    const events = bus.events(Expected);
    for (const n of [2, 3, 4]) bus.dispatch(new Trigger({ n }));
    for await (const event of events) {
      seen.push(event.n);
      last = event;
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([2, 3, 4]);
    expect(last).toBeInstanceOf(Expected);
    await last?.eventCompleted();
    expect(last?.event_status).toBe('completed');
  });

  test('events - one of this side is the event itself', async () => {
    const { bus } = subject();
    const events = bus.events('Local');
    const sent = new Local({ n: 8 });
    const dispatch = bus.dispatch(sent);
    expect((await events.next()).value).toBe(sent);
    await events.return?.();
    await dispatch;
  });

  test('events - the signal ends it at once and quietly; what is unread beyond the buffer is an error', async () => {
    const { bus } = subject();
    const ending = new AbortController();
    const ended = bus.events(Expected, { signal: ending.signal });
    const next = ended.next();
    ending.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    const unread = bus.events(Expected, { buffer: 2 });
    await Promise.all([1, 2, 3, 4].map((n) => bus.dispatch(new Trigger({ n }))));
    const read: number[] = [];
    const all = (async () => {
      for await (const { n } of unread) read.push(n);
    })();
    expect((await rejection(all)).name).toBe('BusCapacityError');
    expect(read).toEqual([1, 2]);
  });
}
