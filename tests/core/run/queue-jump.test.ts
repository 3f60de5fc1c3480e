import { BaseEvent, EventBus, isAwaitCycleError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, rejection, stateOf, ticks } from '../../helpers/gate.ts';

const Parent = BaseEvent.extend('Parent', {});
const Child = BaseEvent.extend('Child', { name: z.string() });
const Queued = BaseEvent.extend('Queued', { name: z.string() });

/** A bus whose handlers of Child and Queued write down when they run. */
function recording(name: string, order: string[]): EventBus {
  const bus = new EventBus({ name });
  for (const Event of [Child, Queued]) {
    bus.on(Event, async (event) => {
      order.push(`${event.name} start`);
      await ticks(2);
      order.push(`${event.name} end`);
    });
  }
  return bus;
}

const starts = (order: readonly string[]): string[] =>
  order.filter((step) => !step.endsWith(' end')).map((step) => step.replace(' start', ''));

test('queue-jump - an awaited child runs before the events that were queued first', async () => {
  const order: string[] = [];
  await using bus = recording('Jump', order);
  bus.on(Parent, async () => {
    order.push('P');
    await bus.dispatch(new Child({ name: 'C' }));
    order.push('P again');
  });
  bus.dispatch(new Parent());
  for (const name of ['G1', 'G2']) bus.dispatch(new Queued({ name }));
  await bus.waitUntilIdle();
  expect(starts(order)).toEqual(['P', 'C', 'P again', 'G1', 'G2']);
});

test('queue-jump - the handlers of the child have run to completion when the await returns', async () => {
  const order: string[] = [];
  await using bus = recording('Complete', order);
  bus.on(Parent, async () => {
    const child = await bus.dispatch(new Child({ name: 'C' }));
    expect(child.event_status).toBe('completed');
  });
  await bus.dispatch(new Parent()).eventResult({ raiseIfNone: false });
  expect(order).toEqual(['C start', 'C end']);
});

test('queue-jump - nothing else overshoots: other queued events stay pending during the await', async () => {
  const order: string[] = [];
  await using bus = recording('One', order);
  await using other = recording('Two', order);
  const door = gate();
  const queued = [new Queued({ name: 'Q1' }), new Queued({ name: 'Q2' })];
  const foreign = new Queued({ name: 'F2' });
  other.on(Queued, ({ name }) => (name === 'F1' ? door.opened : undefined));
  bus.on(Parent, async () => {
    await bus.dispatch(new Child({ name: 'C' }));
    expect(queued.map(({ event_status }) => event_status)).toEqual(['pending', 'pending']);
    expect(foreign.event_status).toBe('pending');
  });
  const parent = bus.dispatch(new Parent());
  for (const event of queued) bus.dispatch(event);
  other.dispatch(new Queued({ name: 'F1' }));
  other.dispatch(foreign);
  await parent.eventResult({ raiseIfNone: false });
  door.open();
});

test('queue-jump - of several children only the awaited one jumps', async () => {
  const order: string[] = [];
  await using bus = recording('Middle', order);
  bus.on(Parent, async () => {
    bus.dispatch(new Child({ name: 'A' }));
    const b = bus.dispatch(new Child({ name: 'B' }));
    bus.dispatch(new Child({ name: 'C' }));
    await b;
  });
  bus.dispatch(new Parent());
  for (const name of ['E2', 'E3']) bus.dispatch(new Queued({ name }));
  await bus.waitUntilIdle();
  expect(starts(order)).toEqual(['B', 'E2', 'E3', 'A', 'C']);
});

test('queue-jump - nests', async () => {
  const order: string[] = [];
  await using bus = recording('Deep', order);
  const Middle = BaseEvent.extend('Middle', {});
  bus.on(Middle, async () => {
    await bus.dispatch(new Child({ name: 'C2' }));
    order.push('C1');
  });
  bus.on(Parent, async () => {
    await bus.dispatch(new Middle());
    order.push('E1');
  });
  bus.dispatch(new Parent());
  bus.dispatch(new Queued({ name: 'E2' }));
  await bus.waitUntilIdle();
  expect(starts(order)).toEqual(['C2', 'C1', 'E1', 'E2']);
});

test('queue-jump - on another bus the child runs ahead of that bus’s queue', async () => {
  const order: string[] = [];
  await using bus = new EventBus({ name: 'Here' });
  await using other = recording('There', order);
  const door = gate();
  other.on(Parent, () => door.opened);
  bus.on(Parent, async () => {
    const child = other.dispatch(new Child({ name: 'C' }));
    setImmediate(() => door.open());
    await child;
    order.push('resume');
  });
  other.dispatch(new Parent());
  for (const name of ['G1', 'G2']) other.dispatch(new Queued({ name }));
  bus.dispatch(new Parent());
  await Promise.all([bus.waitUntilIdle(), other.waitUntilIdle()]);
  expect(starts(order).filter((step) => step !== 'resume')).toEqual(['C', 'G1', 'G2']);
  expect(order.indexOf('resume')).toBeGreaterThan(order.indexOf('C end'));
});

test('queue-jump - an awaited child that is forwarded is waited for on the other bus as well', async () => {
  const order: string[] = [];
  await using bus = new EventBus({ name: 'From' });
  await using other = recording('To', order);
  bus.on(Child, other.dispatch);
  bus.on(Parent, async () => {
    await bus.dispatch(new Child({ name: 'C' }));
    order.push('resume');
  });
  await bus.dispatch(new Parent());
  expect(order).toEqual(['C start', 'C end', 'resume']);
});

test('queue-jump - an event that someone else dispatched jumps too, and gets no parent', async () => {
  const order: string[] = [];
  await using bus = recording('Foreign', order);
  const foreign = new Queued({ name: 'foreign' });
  bus.on(Parent, async () => {
    await foreign.eventCompleted();
    order.push('resume');
  });
  bus.dispatch(new Parent());
  bus.dispatch(new Queued({ name: 'first' }));
  bus.dispatch(foreign);
  await bus.waitUntilIdle();
  expect(starts(order)).toEqual(['foreign', 'resume', 'first']);
  expect(foreign.event_parent_id).toBeNull();
});

test('queue-jump - two awaits of one child in a handler: it runs once, both resolve', async () => {
  const order: string[] = [];
  await using bus = recording('Twice', order);
  bus.on(Parent, async () => {
    const child = bus.dispatch(new Child({ name: 'C' }));
    const [a, b] = await Promise.all([child, child.event.eventCompleted()]);
    return a === b;
  });
  expect(await bus.dispatch(new Parent()).eventResult()).toBe(true);
  expect(order).toEqual(['C start', 'C end']);
});

test('queue-jump - children awaited together run one after another on a serial bus, in order of dispatch', async () => {
  const order: string[] = [];
  await using bus = recording('Together', order);
  bus.on(Parent, async () => {
    await Promise.all(['A', 'B', 'C'].map((name) => bus.dispatch(new Child({ name }))));
    order.push('resume');
  });
  await bus.dispatch(new Parent());
  expect(order).toEqual(['A start', 'A end', 'B start', 'B end', 'C start', 'C end', 'resume']);
});

test('queue-jump - children awaited together on different buses run side by side', async () => {
  await using bus = new EventBus();
  await using other = new EventBus();
  const doors = [gate(), gate()] as const;
  bus.on(Child, async () => {
    doors[0].open();
    await doors[1].opened;
  });
  other.on(Child, async () => {
    doors[1].open();
    await doors[0].opened;
  });
  bus.on(Parent, () =>
    Promise.all([bus.dispatch(new Child({ name: 'A' })), other.dispatch(new Child({ name: 'B' }))]).then(() => 'both'),
  );
  expect(await bus.dispatch(new Parent()).eventResult()).toBe('both');
});

test('queue-jump - an await never gives up, however long another handler also waits', async () => {
  await using bus = new EventBus();
  await using other = new EventBus();
  const door = gate();
  const shared = new Child({ name: 'shared' });
  const seen: string[] = [];
  other.on(Child, () => door.opened);
  for (const own of [bus, other]) {
    own.on(Parent, async () => {
      seen.push((await shared.eventCompleted()).event_status);
    });
  }
  other.dispatch(shared);
  const waits = [bus.dispatch(new Parent()), other.dispatch(new Parent())];
  await ticks(1_500);
  expect(seen).toEqual([]);
  door.open();
  await Promise.all(waits);
  expect(seen).toEqual(['completed', 'completed']);
});

test('queue-jump - awaiting one’s own event fails at once and names the right forms', async () => {
  await using bus = new EventBus({ name: 'Own' });
  bus.on(Parent, async function own(event) {
    await event.eventCompleted();
  });
  const error = await rejection(bus.dispatch(new Parent()).eventResult());
  expect(isAwaitCycleError(error)).toBe(true);
  expect(error.message).toMatch(
    /^Own\.own awaits its own event, which can't complete before .* register the other bus's dispatch/,
  );
});

test('queue-jump - an async handler that returns the Dispatch of its own event awaits it, and is told so', async () => {
  await using bus = new EventBus();
  await using other = new EventBus();
  bus.on(Parent, async (event) => other.dispatch(event));
  const error = await rejection(bus.dispatch(new Parent()).eventResult());
  expect(isAwaitCycleError(error)).toBe(true);
  expect(error.message).toContain(
    "An async function awaits what it returns: there, call other.dispatch(event) and don't",
  );
});

test('queue-jump - awaiting an ancestor fails at once', async () => {
  await using bus = new EventBus();
  const parent = new Parent();
  bus.on(Child, () => parent.eventCompleted().then(() => 'never'));
  bus.on(Parent, () => bus.dispatch(new Child({ name: 'C' })).eventResult());
  const error = await rejection(bus.dispatch(parent).eventResult());
  expect(isAwaitCycleError(error)).toBe(true);
  expect(error.message).toContain(`awaits Parent#${parent.event_id.slice(-4)}`);
});

test('queue-jump - awaiting outside a handler never jumps', async () => {
  const order: string[] = [];
  await using bus = recording('Outside', order);
  for (const name of ['P1', 'P2']) bus.dispatch(new Queued({ name }));
  await bus.dispatch(new Child({ name: 'C' }));
  expect(starts(order)).toEqual(['P1', 'P2', 'C']);
});

test('queue-jump - result helpers of a fresh child inside a handler jump as well', async () => {
  await using bus = new EventBus();
  bus.on(Child, ({ name }) => [name]);
  const queued = new Child({ name: 'queued' });
  bus.on(Parent, async () => [
    queued.event_status,
    await bus.dispatch(new Child({ name: 'a' })).eventResult(),
    await bus.dispatch(new Child({ name: 'b' })).event.eventResultsFlatList(),
    await bus.dispatch(new Child({ name: 'c' })).eventResultsList(),
    queued.event_status,
  ]);
  const parent = bus.dispatch(new Parent());
  bus.dispatch(queued);
  expect(await parent.eventResult()).toEqual(['pending', ['a'], ['b'], [['c']], 'pending']);
});

test('queue-jump - a handler that returns a Dispatch is not held up by it', async () => {
  await using bus = new EventBus();
  await using other = new EventBus();
  const door = gate();
  other.on('*', () => door.opened);
  bus.on(Parent, (event) => other.dispatch(event));
  bus.on(Queued, () => 'ran meanwhile');
  const forwarded = bus.dispatch(new Parent());
  expect(await bus.dispatch(new Queued({ name: 'Q' })).eventResult()).toBe('ran meanwhile');
  expect(await stateOf(forwarded)).toBe('pending');
  door.open();
  await forwarded;
});
