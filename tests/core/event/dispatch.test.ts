import { BaseEvent, Dispatch, EventBus, isBusStoppedError, isEventStateError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, rejection, ticks } from '../../helpers/gate.ts';
import { thrown } from '../../helpers/thrown.ts';

const Step = BaseEvent.extend('Step', { n: z.number() });
const Ping = BaseEvent.extend('Ping', {});

test('dispatch - returns at once, with the very event, and no handler has run', async () => {
  await using bus = new EventBus({ name: 'Sync' });
  let ran = false;
  bus.on(Ping, () => void (ran = true));
  const event = new Ping();
  const dispatch = bus.dispatch(event);
  expect(dispatch).toBeInstanceOf(Dispatch);
  expect(dispatch.event).toBe(event);
  expect(event.event_status).toBe('pending');
  expect(event.event_path).toEqual(['Sync']);
  expect(event.event_results.size).toBe(0);
  expect(ran).toBe(false);
  expect(await dispatch).toBe(event);
  expect(ran).toBe(true);
});

test('dispatch - the first one starts the bus; before it there is no history', async () => {
  await using bus = new EventBus();
  expect(bus.eventHistory.size).toBe(0);
  const event = await bus.dispatch(new Ping());
  expect([...bus.eventHistory.values()]).toEqual([event]);
});

test('dispatch - events run in the order of their dispatch, whatever their handlers take', async () => {
  await using bus = new EventBus();
  const steps: string[] = [];
  bus.on(Step, async ({ n }) => {
    steps.push(`start ${n}`);
    await ticks(n % 2 === 0 ? 5 : 1);
    steps.push(`end ${n}`);
  });
  for (let n = 0; n < 20; n += 1) bus.dispatch(new Step({ n }));
  await bus.waitUntilIdle();
  expect(steps).toEqual(Array.from({ length: 20 }, (_, n) => [`start ${n}`, `end ${n}`]).flat());
});

test('dispatch - no handler of the next event starts before all handlers of this one have settled', async () => {
  await using bus = new EventBus();
  const door = gate();
  const steps: string[] = [];
  bus.on(Step, ({ n }) => void steps.push(`first ${n}`));
  bus.on(Step, async ({ n }) => {
    await door.opened;
    steps.push(`second ${n}`);
  });
  bus.dispatch(new Step({ n: 1 }));
  const last = bus.dispatch(new Step({ n: 2 }));
  await ticks();
  expect(steps).toEqual(['first 1']);
  expect(last.event.event_status).toBe('pending');
  door.open();
  await last;
  expect(steps).toEqual(['first 1', 'second 1', 'first 2', 'second 2']);
});

test('dispatch - an event without handlers completes', async () => {
  await using bus = new EventBus();
  const event = await bus.dispatch(new Ping());
  expect(event.event_status).toBe('completed');
  expect(event.event_results.size).toBe(0);
  expect(event.event_started_at).not.toBeNull();
  expect(event.event_completed_at).not.toBeNull();
});

test('dispatch - an un-awaited one inside a handler goes to the end of the queue', async () => {
  await using bus = new EventBus();
  const order: string[] = [];
  bus.on(Step, ({ n }) => {
    order.push(`start ${n}`);
    if (n === 1) bus.dispatch(new Step({ n: 10 }));
    order.push(`end ${n}`);
  });
  for (const n of [1, 2, 3]) bus.dispatch(new Step({ n }));
  await bus.waitUntilIdle();
  expect(order.filter((step) => step.startsWith('start'))).toEqual(['start 1', 'start 2', 'start 3', 'start 10']);
});

test('dispatch - the same event twice before it runs: each handler runs once, both waits resolve', async () => {
  await using bus = new EventBus();
  let runs = 0;
  bus.on(Ping, () => void (runs += 1));
  const event = new Ping();
  expect(await Promise.all([bus.dispatch(event), bus.dispatch(event)])).toEqual([event, event]);
  expect(runs).toBe(1);
  expect(bus.eventHistory.size).toBe(1);
  expect(event.event_path).toHaveLength(1);
});

test('dispatch - a completed event again on the same bus: nothing runs, nothing waits', async () => {
  await using bus = new EventBus();
  let runs = 0;
  bus.on(Ping, () => void (runs += 1));
  const event = await bus.dispatch(new Ping());
  bus.on(Ping, () => void (runs += 10));
  expect(await bus.dispatch(event)).toBe(event);
  expect(runs).toBe(1);
  expect(event.event_path).toHaveLength(1);
});

test('dispatch - a completed event on a second bus: its handlers run, results add up on the one event', async () => {
  await using a = new EventBus({ name: 'FirstBus' });
  await using b = new EventBus({ name: 'SecondBus' });
  a.on(Ping, () => 'a');
  b.on(Ping, () => 'b');
  const event = await a.dispatch(new Ping());
  const again = b.dispatch(event);
  expect(event.event_status).not.toBe('completed');
  await again;
  expect(event.event_path).toEqual(['FirstBus', 'SecondBus']);
  expect(await event.eventResultsList()).toEqual(['a', 'b']);
});

test('dispatch - a handler that dispatches its own event to its own bus causes no recursion', async () => {
  await using bus = new EventBus();
  let runs = 0;
  bus.on(Ping, (event) => {
    runs += 1;
    bus.dispatch(event);
  });
  const event = await bus.dispatch(new Ping());
  expect(runs).toBe(1);
  expect(event.event_children).toEqual([]);
});

test('dispatch - an event whose path names the bus and that is nowhere under way is refused', async () => {
  await using bus = new EventBus({ name: 'SeenBus' });
  const event = new Ping({}, { event_path: ['Other', 'SeenBus'] });
  const error = thrown(() => bus.dispatch(event));
  expect(isEventStateError(error)).toBe(true);
  expect(error.message).toBe(
    `Ping#${event.event_id.slice(-4)} has SeenBus in its event_path already (Other > SeenBus), so SeenBus skips it, and it is on no other bus here. Dispatch a copy: SeenBus.dispatch(event.eventReset()).`,
  );
  expect(bus.eventHistory.size).toBe(0);
  await bus.dispatch(event.eventReset());
});

const classless = ". Without a class of its own it is new BaseEvent({ … }, { event_type: 'UserCreated' })";

test.each([
  [undefined, 'got undefined'],
  [null, 'got null'],
  [{ event_type: 'Ping' }, `got an object (Object)${classless}`],
  [Ping, 'got the function Ping. That is the class: make an event of it, new Ping({ … })'],
  ['Ping', `got the string "Ping"${classless}`],
])('dispatch - %o is no event', async (value, text) => {
  await using bus = new EventBus({ name: 'Strict' });
  const error = thrown(() => bus.dispatch(value as never));
  expect(error).toBeInstanceOf(TypeError);
  expect(error.message).toBe(`Strict.dispatch expected an event, such as new UserCreated({ … }); ${text}.`);
  expect(bus.eventHistory.size).toBe(0);
});

test('dispatch - one that is refused leaves no trace on the event or the parent, which still completes', async () => {
  await using bus = new EventBus();
  const stopped = new EventBus({ name: 'Gone' });
  await stopped.stop();
  const child = new Step({ n: 1 });
  bus.on(Ping, () => {
    const error = thrown(() => stopped.dispatch(child));
    expect(isBusStoppedError(error)).toBe(true);
    expect(error.message).toBe('Gone was stopped and takes no Step. Dispatch before stop(), or make a new EventBus.');
  });
  const parent = await bus.dispatch(new Ping());
  await parent.eventResult({ raiseIfNone: false });
  expect(child.event_path).toEqual([]);
  expect(child.event_parent_id).toBeNull();
  expect(parent.event_children).toEqual([]);
  expect(await bus.dispatch(child)).toBe(child);
});

test('dispatch - buses don’t wait for each other', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  const door = gate();
  a.on(Ping, () => door.opened);
  const waiting = a.dispatch(new Ping());
  await b.dispatch(new Ping());
  expect(waiting.event.event_status).toBe('started');
  door.open();
  await waiting;
});

test('dispatch - await, catch and finally see the completed event and no handler error', async () => {
  await using bus = new EventBus();
  bus.on(Ping, () => {
    throw new Error('handler');
  });
  const first = await bus.dispatch(new Ping());
  expect(first.event_status).toBe('completed');
  let ended = false;
  const second = await bus.dispatch(new Ping()).finally(() => (ended = true));
  expect([second.event_status, ended]).toEqual(['completed', true]);
  expect((await bus.dispatch(new Ping()).catch(() => null))?.event_status).toBe('completed');
  expect((await rejection(bus.dispatch(new Ping()).eventResult())).message).toBe('handler');
});

test('dispatch - detached makes a new root that the handler’s event neither knows nor waits for', async () => {
  await using bus = new EventBus();
  const door = gate();
  const child = new Step({ n: 1 });
  bus.on(Ping, () => void bus.dispatch(child, { detached: true }));
  bus.on(Step, () => door.opened);
  const parent = await bus.dispatch(new Ping());
  expect(parent.event_children).toEqual([]);
  expect(child.event_parent_id).toBeNull();
  expect(child.event_status).not.toBe('completed');
  door.open();
  await child.eventCompleted();
});

test('dispatch - is bound to its bus', async () => {
  await using bus = new EventBus({ name: 'Bound' });
  const { dispatch } = bus;
  expect((await dispatch(new Ping())).event_path).toEqual(['Bound']);
});

test('dispatch - refuses options that it does not know', async () => {
  await using bus = new EventBus();
  const event = new Ping();
  expect(thrown(() => bus.dispatch(event, { detatched: true } as object)).message).toBe(
    "dispatch has no option 'detatched'. It has: detached, transfer, signal. Did you mean 'detached'?",
  );
  expect(thrown(() => bus.dispatch(event, 0 as never)).message).toContain('the options of dispatch to be an object');
  expect(thrown(() => bus.dispatch(event, { detached: 'yes' as never })).message).toContain('detached to be true or');
  expect(event.event_path).toEqual([]);
});
