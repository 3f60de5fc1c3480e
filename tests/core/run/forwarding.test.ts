import { BaseEvent, EventBus, isBusStoppedError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, stateOf, ticks } from '../../helpers/gate.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';

const Ping = BaseEvent.extend('Ping', {});
const Pong = BaseEvent.extend('Pong', {});
const Step = BaseEvent.extend('Step', { n: z.number() });

test('forwarding - on(*, bus.dispatch): the same event runs on the other bus as well', async () => {
  await using main = new EventBus({ name: 'MainBus' });
  await using auth = new EventBus({ name: 'AuthBus' });
  const seen: BaseEvent[] = [];
  main.on('*', auth.dispatch);
  auth.on(Ping, (event) => void seen.push(event));
  const event = await main.dispatch(new Ping());
  expect(seen).toEqual([event]);
  expect(event.event_path).toEqual(['MainBus', 'AuthBus']);
});

test('forwarding - around a circle each bus has the event once, from wherever it starts', async () => {
  const buses = ['CircleA', 'CircleB', 'CircleC'].map((name) => new EventBus({ name }));
  const seen: string[] = [];
  buses.forEach((bus, i) => {
    bus.on('*', (buses[(i + 1) % 3] as EventBus).dispatch);
    bus.on('*', () => void seen.push(bus.name));
  });
  const event = await buses[0]?.dispatch(new Ping());
  expect(event?.event_path).toEqual(['CircleA', 'CircleB', 'CircleC']);
  expect(seen.sort()).toEqual(['CircleA', 'CircleB', 'CircleC']);
  expect((await buses[1]?.dispatch(new Ping()))?.event_path).toEqual(['CircleB', 'CircleC', 'CircleA']);
  for (const bus of buses) await bus.stop();
});

test('forwarding - goes downstream only, and only what matches', async () => {
  await using a = new EventBus({ name: 'UpA' });
  await using b = new EventBus({ name: 'UpB' });
  await using c = new EventBus({ name: 'UpC' });
  a.on('*', b.dispatch);
  b.on(Ping, c.dispatch);
  expect((await b.dispatch(new Ping())).event_path).toEqual(['UpB', 'UpC']);
  expect((await a.dispatch(new Pong())).event_path).toEqual(['UpA', 'UpB']);
});

test('forwarding - results of all buses are in the one event, with id and name of their bus', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  a.on(Ping, b.dispatch);
  a.on(Ping, () => ({ a: 1, list: undefined }));
  b.on(Ping, () => ({ b: 2 }));
  const event = await a.dispatch(new Ping());
  const places = [...event.event_results.values()].map(({ eventbus_id, eventbus_name }) => [
    eventbus_id,
    eventbus_name,
  ]);
  expect(places).toEqual([
    [a.id, a.name],
    [a.id, a.name],
    [b.id, b.name],
  ]);
  expect(await event.eventResultsFlatDict()).toEqual({ a: 1, list: undefined, b: 2 });
});

test('forwarding - waiting covers every bus, also one that a handler forwards to after a while', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  const before = gate();
  const after = gate();
  a.on(Ping, async (event) => {
    await before.opened;
    b.dispatch(event);
  });
  b.on(Ping, async () => {
    await after.opened;
    return 'b is done';
  });
  const dispatch = a.dispatch(new Ping());
  expect(await stateOf(dispatch)).toBe('pending');
  before.open();
  expect(await stateOf(dispatch)).toBe('pending');
  after.open();
  expect(await dispatch.eventResult()).toBe('b is done');
});

test('forwarding - the forward’s own result is the event, and no result by default', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  a.on(Ping, b.dispatch);
  const event = await a.dispatch(new Ping());
  const [forward] = event.event_results.values();
  expect([forward?.status, forward?.result === event, forward?.handler_name]).toEqual([
    'completed',
    true,
    `${b.name}.dispatch`,
  ]);
  expect(await event.eventResultsList({ raiseIfNone: false })).toEqual([]);
});

test('forwarding - to two buses: no warning, names tell them apart', async () => {
  const logger = logRecorder();
  await using a = new EventBus({ logger });
  await using b = new EventBus({ name: 'TargetB' });
  await using c = new EventBus({ name: 'TargetC' });
  a.on('*', b.dispatch);
  a.on('*', c.dispatch);
  const event = await a.dispatch(new Ping());
  const names = [...event.event_results.values()].map(({ handler_name }) => handler_name);
  expect(names).toEqual(['TargetB.dispatch', 'TargetC.dispatch']);
  expect(logger.warnings).toEqual([]);
});

test('forwarding - errors and timeouts there are results there and disturb nothing here', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  a.on(Ping, b.dispatch);
  a.on(Ping, () => 'fine');
  b.on(Ping, () => Promise.reject(new Error('b failed')));
  b.on(Ping, () => gate().opened);
  const event = await a.dispatch(new Ping({}, { event_timeout: 0.02 }));
  const shown = [...event.event_results.values()].map(({ eventbus_name, status }) => [eventbus_name, status]);
  expect(shown).toEqual([
    [a.name, 'completed'],
    [a.name, 'completed'],
    [b.name, 'error'],
    [b.name, 'error'],
  ]);
  expect(await event.eventResult({ raiseIfAny: false })).toBe('fine');
});

test('forwarding - order is kept over two hops', async () => {
  await using a = new EventBus({ maxPending: null });
  await using b = new EventBus();
  await using c = new EventBus();
  a.on('*', b.dispatch);
  b.on('*', c.dispatch);
  const seen: number[] = [];
  b.on(Step, ({ n }) => ticks(n % 3));
  c.on(Step, async ({ n }) => {
    await ticks(n % 2);
    seen.push(n);
  });
  for (let n = 0; n < 200; n += 1) a.dispatch(new Step({ n }));
  await Promise.all([a, b, c].map((bus) => bus.waitUntilIdle()));
  expect(seen).toEqual(Array.from({ length: 200 }, (_, n) => n));
});

test('forwarding - to a stopped bus is an error of the forward, and the event completes', async () => {
  await using a = new EventBus();
  const b = new EventBus({ name: 'StoppedTarget' });
  await b.stop();
  a.on(Ping, b.dispatch);
  a.on(Ping, () => 'fine');
  const event = await a.dispatch(new Ping());
  const [forward, own] = event.event_results.values();
  expect(isBusStoppedError(forward?.error)).toBe(true);
  expect(own?.result).toBe('fine');
});

test('forwarding - does not hold the slot: the next event starts while the other bus works', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  const door = gate();
  a.on(Ping, b.dispatch);
  b.on(Ping, () => door.opened);
  const first = a.dispatch(new Ping());
  await a.dispatch(new Pong());
  expect(await stateOf(first)).toBe('pending');
  door.open();
  await first;
});

test('forwarding - loops are found by the bus itself, not by its name', async () => {
  const first = new EventBus({ name: 'SameName' });
  const event = await first.dispatch(new Ping());
  await first.stop();
  await using second = new EventBus({ name: 'SameName' });
  second.on(Ping, () => 'second');
  expect(await second.dispatch(event).eventResult()).toBe('second');
  expect(event.event_path).toEqual(['SameName', 'SameName']);
});

test('forwarding - three awaited and three un-awaited children with forwarding run six times on each bus', async () => {
  for (let round = 0; round < 5; round += 1) {
    await using a = new EventBus();
    await using b = new EventBus();
    const runs = { a: 0, b: 0 };
    a.on('*', b.dispatch);
    a.on(Step, () => void (runs.a += 1));
    b.on(Step, () => void (runs.b += 1));
    a.on(Ping, async () => {
      for (let n = 0; n < 3; n += 1) {
        a.dispatch(new Step({ n }));
        await a.dispatch(new Step({ n }));
      }
    });
    const parent = await a.dispatch(new Ping());
    expect(runs).toEqual({ a: 6, b: 6 });
    expect(parent.event_children).toHaveLength(6);
  }
});
