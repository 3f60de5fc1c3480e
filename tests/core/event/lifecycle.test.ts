import { BaseEvent, EventBus, type EventStatus, isEventStateError } from '@threadbus/core';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { gate, rejection, stateOf, ticks } from '../../helpers/gate.ts';

const Root = BaseEvent.extend('Root', {});
const Child = BaseEvent.extend('Child', { n: z.number() });

test('lifecycle - an event is pending, then started, then completed', async () => {
  await using bus = new EventBus();
  const seen: EventStatus[] = [];
  bus.on(Root, ({ event_status }) => void seen.push(event_status));
  const event = new Root();
  seen.push(event.event_status);
  const dispatch = bus.dispatch(event);
  seen.push(event.event_status);
  await dispatch;
  seen.push(event.event_status);
  expect(seen).toEqual(['pending', 'pending', 'started', 'completed']);
});

test('lifecycle - a failed handler makes no other status of its event', async () => {
  await using bus = new EventBus();
  bus.on(Root, () => Promise.reject(new Error('x')));
  expect((await bus.dispatch(new Root())).event_status).toBe('completed');
});

test('lifecycle - event_started_at is the first start, event_completed_at the last end', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000 });
  try {
    await using bus = new EventBus();
    const at = (ms: number) => (): void => void vi.setSystemTime(ms);
    bus.on(Root, at(2_000));
    bus.on(Root, at(3_000));
    const event = new Root();
    const dispatch = bus.dispatch(event);
    expect([event.event_started_at, event.event_completed_at]).toEqual([null, null]);
    vi.setSystemTime(1_500);
    await dispatch;
    expect(event.event_started_at).toBe('1970-01-01T00:00:01.500Z');
    expect(event.event_completed_at).toBe('1970-01-01T00:00:03.000Z');
    const times = [...event.event_results.values()].map(({ started_at, completed_at }) => [started_at, completed_at]);
    expect(times).toEqual([
      ['1970-01-01T00:00:01.500Z', '1970-01-01T00:00:02.000Z'],
      ['1970-01-01T00:00:02.000Z', '1970-01-01T00:00:03.000Z'],
    ]);
  } finally {
    vi.useRealTimers();
  }
});

test('lifecycle - an event whose handlers are done is not completed while a child is open', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Root, () => void bus.dispatch(new Child({ n: 1 })));
  bus.on(Child, () => door.opened);
  const dispatch = bus.dispatch(new Root());
  const { event } = dispatch;
  await ticks();
  expect([...event.event_results.values()].map(({ status }) => status)).toEqual(['completed']);
  expect([event.event_status, event.event_completed_at]).toEqual(['started', null]);
  expect(await stateOf(dispatch)).toBe('pending');
  door.open();
  await dispatch;
  const [child] = event.event_children;
  expect(event.event_status).toBe('completed');
  expect((event.event_completed_at ?? '') >= (child?.event_completed_at ?? 'never')).toBe(true);
});

test('lifecycle - completed and resolved waiters are one step', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Root, () => door.opened);
  const dispatch = bus.dispatch(new Root());
  let resolved = false;
  void dispatch.then(() => (resolved = true));
  bus.observe({
    completed: () => {
      expect(dispatch.event.event_status).toBe('completed');
      expect(resolved).toBe(false);
    },
  });
  await ticks();
  expect([dispatch.event.event_status, resolved]).toEqual(['started', false]);
  door.open();
  await ticks();
  expect([dispatch.event.event_status, resolved]).toEqual(['completed', true]);
});

test('lifecycle - all waiters of one event resolve to it', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Root, () => door.opened);
  const dispatch = bus.dispatch(new Root());
  const waits = [dispatch, dispatch, dispatch.event.eventCompleted(), bus.dispatch(dispatch.event)];
  door.open();
  expect(await Promise.all(waits)).toEqual([dispatch.event, dispatch.event, dispatch.event, dispatch.event]);
});

test('lifecycle - waiting on a completed event resolves at once and processes nothing else', async () => {
  await using bus = new EventBus();
  const event = await bus.dispatch(new Root());
  const queued = bus.dispatch(new Root());
  const wait = event.eventCompleted();
  expect(queued.event.event_status).toBe('pending');
  expect(await wait).toBe(event);
  await queued;
});

test('lifecycle - waiting on an event that was never dispatched rejects with what to do', async () => {
  const event = new Root();
  for (const wait of [event.eventCompleted(), event.eventResult(), event.eventResultsList()]) {
    const error = await rejection(wait);
    expect(isEventStateError(error)).toBe(true);
    expect(error.message).toBe(
      `Root#${event.event_id.slice(-4)} was never dispatched, so it will never complete. Dispatch it first: await bus.dispatch(event).`,
    );
  }
});

test('lifecycle - results appear when processing starts, all of them before the first handler runs', async () => {
  await using bus = new EventBus();
  let seen: string[] = [];
  bus.on(Root, ({ event_results }) => {
    seen = [...event_results.values()].map(({ status }) => status);
  });
  bus.on(Root, () => 1);
  bus.on('*', () => 2);
  const dispatch = bus.dispatch(new Root());
  const { event_results } = dispatch.event;
  expect(event_results.size).toBe(0);
  await dispatch;
  expect(seen).toEqual(['started', 'pending', 'pending']);
  expect([...event_results.values()].map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
});

test('lifecycle - a result is pending, then started, then completed or error, with its times', async () => {
  await using bus = new EventBus();
  const doors = [gate(), gate()] as const;
  bus.on(Root, () => doors[0].opened);
  bus.on(Root, async () => {
    await doors[1].opened;
    throw new Error('second');
  });
  const dispatch = bus.dispatch(new Root());
  const shown = (): (string | boolean)[][] =>
    [...dispatch.event.event_results.values()].map(({ status, started_at, completed_at }) => [
      status,
      started_at !== null,
      completed_at !== null,
    ]);
  await ticks();
  expect(shown()).toEqual([
    ['started', true, false],
    ['pending', false, false],
  ]);
  doors[0].open();
  await ticks();
  expect(shown()).toEqual([
    ['completed', true, true],
    ['started', true, false],
  ]);
  doors[1].open();
  await dispatch;
  expect(shown()).toEqual([
    ['completed', true, true],
    ['error', true, true],
  ]);
});

test('lifecycle - completion goes up: grandchild, child, parent, in this order', async () => {
  await using bus = new EventBus();
  const order: string[] = [];
  bus.on(Root, () => void bus.dispatch(new Child({ n: 1 })));
  bus.on(Child, ({ n }) => {
    if (n < 3) bus.dispatch(new Child({ n: n + 1 }));
  });
  bus.observe({ completed: (event) => void order.push(`${event.event_type} ${JSON.stringify(event.toJSON()['n'])}`) });
  const dispatch = bus.dispatch(new Root());
  await dispatch;
  expect(order).toEqual(['Child 3', 'Child 2', 'Child 1', 'Root undefined']);
});

test('lifecycle - parent ids that form a cycle, or name the event itself, hold nothing up', async () => {
  await using bus = new EventBus();
  const a = new Root();
  const b = new Root({}, { event_parent_id: a.event_id });
  const loop = new Root({}, { event_parent_id: b.event_id, event_id: a.event_id });
  const self = new Root({}, { event_id: b.event_id, event_parent_id: b.event_id });
  for (const event of [a, b, loop, self]) await bus.dispatch(event);
  expect(bus.logTree()).toContain('Root#');
});

test('lifecycle - a handler that hands an ancestor to another bus causes no hang', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  const root = new Root();
  a.on(Root, () => void a.dispatch(new Child({ n: 1 })));
  a.on(Child, () => void b.dispatch(root));
  b.on(Root, () => 'from b');
  expect(await a.dispatch(root).eventResultsList()).toEqual(['from b']);
  expect(root.event_path).toEqual([a.name, b.name]);
});

test('lifecycle - completion does not depend on the history', async () => {
  await using bus = new EventBus({ maxHistorySize: 1 });
  let children = 0;
  bus.on(Root, () => {
    bus.dispatch(new Child({ n: 1 }));
    bus.dispatch(new Child({ n: 2 }));
  });
  bus.on(Child, () => void (children += 1));
  const event = await bus.dispatch(new Root());
  expect(children).toBe(2);
  expect(event.event_children.map(({ event_status }) => event_status)).toEqual(['completed', 'completed']);
});
