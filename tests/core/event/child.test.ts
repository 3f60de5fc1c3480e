import { BaseEvent, EventBus, isEventStateError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, stateOf, ticks } from '../../helpers/gate.ts';
import { thrown } from '../../helpers/thrown.ts';

const Parent = BaseEvent.extend('Parent', {});
const Child = BaseEvent.extend('Child', { n: z.number() });
const numbers = (events: readonly BaseEvent[]): unknown[] => events.map((event) => event.toJSON()['n']);

test('child - an event dispatched in a handler has its event as parent, through any reference to a bus', async () => {
  await using bus = new EventBus();
  await using other = new EventBus();
  bus.on(Parent, async (event, context) => {
    bus.dispatch(new Child({ n: 1 }));
    event.event_bus.dispatch(new Child({ n: 2 }));
    context.bus.dispatch(new Child({ n: 3 }));
    await ticks();
    other.dispatch(new Child({ n: 4 }));
    await new Promise<void>((resolve) =>
      setTimeout(() => {
        void Promise.resolve().then(() => bus.dispatch(new Child({ n: 5 })));
        setImmediate(resolve);
      }, 1),
    );
  });
  const parent = await bus.dispatch(new Parent());
  expect(numbers(parent.event_children)).toEqual([1, 2, 3, 4, 5]);
  for (const { event_parent_id } of parent.event_children) expect(event_parent_id).toBe(parent.event_id);
});

test('child - each level has the level above as parent; outside a handler there is none', async () => {
  await using bus = new EventBus();
  bus.on(Child, ({ n }) => {
    if (n < 3) bus.dispatch(new Child({ n: n + 1 }));
  });
  const root = await bus.dispatch(new Child({ n: 1 }));
  const [second] = root.event_children;
  const [third] = second?.event_children ?? [];
  expect(root.event_parent_id).toBeNull();
  expect(second?.event_parent_id).toBe(root.event_id);
  expect(third?.event_parent_id).toBe(second?.event_id);
});

test('child - sync, failing and several handlers all get theirs, each result lists its own', async () => {
  await using bus = new EventBus();
  bus.on(Parent, () => void bus.dispatch(new Child({ n: 1 })));
  bus.on(Parent, () => {
    bus.dispatch(new Child({ n: 2 }));
    throw new Error('after the dispatch');
  });
  bus.on(Parent, async () => {
    bus.dispatch(new Child({ n: 3 }));
    await bus.dispatch(new Child({ n: 4 }));
  });
  bus.on(Parent, () => 'none');
  const parent = await bus.dispatch(new Parent());
  const results = [...parent.event_results.values()];
  expect(results.map(({ event_children }) => numbers(event_children))).toEqual([[1], [2], [3, 4], []]);
  expect(numbers(parent.event_children)).toEqual([1, 2, 3, 4]);
});

test('child - of handlers that run side by side are listed in order of dispatch and under the right handler', async () => {
  await using bus = new EventBus({ parallelHandlers: true });
  for (const own of [1, 2, 3]) {
    bus.on(Parent, async () => {
      bus.dispatch(new Child({ n: own }));
      await ticks(own);
      bus.dispatch(new Child({ n: own * 10 }));
      await bus.dispatch(new Child({ n: own * 100 }));
    });
  }
  const parent = await bus.dispatch(new Parent());
  const results = [...parent.event_results.values()];
  expect(results.map(({ event_children }) => numbers(event_children))).toEqual([
    [1, 10, 100],
    [2, 20, 200],
    [3, 30, 300],
  ]);
  expect(numbers(parent.event_children).slice(0, 3)).toEqual([1, 2, 3]);
  expect(parent.event_children).toHaveLength(9);
});

test('child - a parent id that was given is not overridden', async () => {
  await using bus = new EventBus();
  const foreign = '0190a0b0-0000-7000-8000-00000000abcd';
  const child = new Child({ n: 1 }, { event_parent_id: foreign });
  bus.on(Parent, () => void bus.dispatch(child));
  await bus.dispatch(new Parent());
  expect(child.event_parent_id).toBe(foreign);
});

test('child - one with a foreign parent id is still the handler’s child, and its parent still completes', async () => {
  await using bus = new EventBus();
  const door = gate();
  const child = new Child({ n: 1 }, { event_parent_id: '0190a0b0-0000-7000-8000-00000000abcd' });
  bus.on(Parent, () => void bus.dispatch(child));
  bus.on(Child, () => door.opened);
  const dispatch = bus.dispatch(new Parent());
  expect(await stateOf(dispatch)).toBe('pending');
  door.open();
  const parent = await dispatch;
  expect(parent.event_children).toEqual([child]);
});

test('child - one that is dispatched to two buses is listed once', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  const child = new Child({ n: 1 });
  a.on(Parent, () => {
    a.dispatch(child);
    b.dispatch(child);
  });
  const parent = await a.dispatch(new Parent());
  expect(parent.event_children).toEqual([child]);
  expect(child.event_path).toEqual([a.name, b.name]);
});

test('child - a forwarded event is nobody’s child', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  a.on('*', b.dispatch);
  a.on('*', (event) => b.dispatch(event));
  const event = await a.dispatch(new Parent());
  expect(event.event_children).toEqual([]);
  expect(event.event_parent_id).toBeNull();
});

test('child - the parent waits for all descendants, awaited or not', async () => {
  await using bus = new EventBus();
  await using other = new EventBus();
  const door = gate();
  bus.on(Parent, () => void other.dispatch(new Child({ n: 1 })));
  other.on(Child, async ({ n }) => {
    if (n < 3) other.dispatch(new Child({ n: n + 1 }));
    else await door.opened;
  });
  const dispatch = bus.dispatch(new Parent());
  expect(await stateOf(dispatch)).toBe('pending');
  door.open();
  await dispatch;
});

test('child - what is dispatched after the handler has settled is accepted, has the parent’s id and reopens nothing', async () => {
  await using bus = new EventBus();
  const late = gate();
  const dispatched = gate();
  const child = new Child({ n: 1 });
  bus.on(Parent, () => {
    void late.opened.then(() => {
      bus.dispatch(child);
      dispatched.open();
    });
  });
  const parent = await bus.dispatch(new Parent());
  const completedAt = parent.event_completed_at;
  late.open();
  await dispatched.opened;
  await child.eventCompleted();
  expect(child.event_parent_id).toBe(parent.event_id);
  expect(parent.event_children).toEqual([]);
  expect([parent.event_status, parent.event_completed_at]).toEqual(['completed', completedAt]);
});

test('child - event_bus is the bus that runs the current handler', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  const seen: string[] = [];
  a.on('*', b.dispatch);
  b.on('*', (event) => void seen.push(event.event_bus.name));
  a.on('*', async (event) => {
    await ticks(10);
    seen.push(event.event_bus.name);
  });
  await a.dispatch(new Parent());
  expect(seen).toEqual([b.name, a.name]);
});

test('child - event_bus outside a handler throws and says what to use', async () => {
  await using bus = new EventBus();
  const event = new Parent();
  const check = (): void => {
    const error = thrown(() => event.event_bus);
    expect(isEventStateError(error)).toBe(true);
    expect(error.message).toBe(
      `event_bus can only be accessed from within an event handler (Parent#${event.event_id.slice(-4)}). Elsewhere, use the bus itself.`,
    );
  };
  check();
  await bus.dispatch(event);
  check();
});

test('child - a chain of 2,000 nested awaits and a parent of 10,000 children complete', async () => {
  await using bus = new EventBus({ maxPending: null, maxRecursionDepth: null, maxHistorySize: 10 });
  let deepest = 0;
  bus.on(Child, async ({ n }) => {
    deepest = Math.max(deepest, n);
    if (n < 2_000) await bus.dispatch(new Child({ n: n + 1 }));
  });
  await bus.dispatch(new Child({ n: 1 }));
  expect(deepest).toBe(2_000);
  bus.on(Parent, () => {
    for (let n = 0; n < 10_000; n += 1) bus.dispatch(new Child({ n: 5_000 }));
  });
  const parent = await bus.dispatch(new Parent());
  expect(parent.event_children).toHaveLength(10_000);
});

test('child - a chain of 10,000 un-awaited events completes without exhausting the stack', async () => {
  await using bus = new EventBus({ maxRecursionDepth: null });
  bus.on(Child, ({ n }) => {
    if (n < 10_000) bus.dispatch(new Child({ n: n + 1 }));
  });
  const first = await bus.dispatch(new Child({ n: 1 }));
  expect(first.event_status).toBe('completed');
  expect(await bus.waitUntilIdle({ timeout: 0 })).toBe(true);
});
