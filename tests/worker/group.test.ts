import type { BaseEvent } from '@threadbus/core';
import {
  isWorkerCrashedError,
  isWorkerStartError,
  type WorkerBus,
  WorkerBusGroup,
  type WorkerBusGroupOptions,
} from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Double, Havoc } from '../fixtures/worker/events.ts';
import { fixtureUrl } from '../helpers/fixture.ts';
import { rejection } from '../helpers/gate.ts';
import { quietBus } from '../helpers/quiet-bus.ts';
import { quietParent } from '../helpers/worker-bus.ts';

async function startGroup(options: Partial<WorkerBusGroupOptions> = {}): Promise<WorkerBusGroup> {
  const group = await WorkerBusGroup.start(fixtureUrl('worker/havoc-bus'), {
    size: 2,
    parent: quietParent(),
    ...options,
  });
  onTestFinished(() => group.stop());
  return group;
}

const pathOf = async (event: BaseEvent, group: WorkerBusGroup): Promise<string[]> => [
  ...(await group.dispatch(event)).event_path,
];

test('group - round-robin takes turns, broadcast reaches all', async () => {
  const group = await startGroup();
  const names = group.buses.map(({ name }) => name);
  const paths = await Promise.all([1, 2, 3, 4].map((n) => pathOf(new Double({ n }), group)));
  expect(paths.flat()).toEqual([...names, ...names]);
  const event = await group.broadcast(new Double({ n: 5 }));
  expect([...event.event_path].sort()).toEqual([...names].sort());
  expect(await event.eventResultsList()).toEqual([10, 10]);
});

test('group - a key always reaches the same thread, in order', async () => {
  const group = await startGroup({ route: (event) => String((event as Double).n % 5) });
  const paths = await Promise.all(Array.from({ length: 20 }, (_, n) => pathOf(new Double({ n }), group)));
  for (let n = 5; n < 20; n += 1) expect(paths[n]).toEqual(paths[n - 5]);
  expect(new Set(paths.flat()).size).toBe(2);
});

test('group - least-busy takes the bus with the fewest events under way', async () => {
  const group = await startGroup({ route: 'least-busy' });
  const [first] = group.buses;
  const busy = [1, 2, 3].map((n) => (first as WorkerBus).dispatch(new Double({ n })).eventResult());
  expect(group.dispatch(new Double({ n: 1 })).event.event_path).toEqual([group.buses[1]?.name]);
  expect(await Promise.all(busy)).toEqual([2, 4, 6]);
});

test('group - forwards from a bus, waits until idle, has room', async () => {
  const group = await startGroup();
  const main = quietBus();
  main.on(Double, group.dispatch);
  expect(await main.dispatch(new Double({ n: 3 })).eventResult()).toBe(6);
  expect(await group.waitUntilIdle({ timeout: 10 })).toBe(true);
  await group.waitForCapacity();
  expect(() => group.dispatch({} as BaseEvent)).toThrow(/expected an event/);
});

test.each(['round-robin', 'least-busy'] as const)(
  'group - %s leaves out a bus that is out of service',
  async (route) => {
    const group = await startGroup({ route, restart: 'never' });
    const [failed] = group.buses;
    await failed?.dispatch(new Havoc({ what: 'process.exit' }));
    expect(isWorkerCrashedError(failed?.failure)).toBe(true);
    const results = [1, 2, 3].map((n) => group.dispatch(new Double({ n })).eventResult());
    expect(await Promise.all(results)).toEqual([2, 4, 6]);
    const event = new Double({ n: 1 });
    expect(() => group.broadcast(event)).toThrow(/out of service/);
    expect(event.event_path).toEqual([]);
  },
);

test('group - a start that fails leaves no thread behind', async () => {
  const error = await rejection(WorkerBusGroup.start(new URL('./missing.js', import.meta.url), { size: 3 }));
  expect(isWorkerStartError(error)).toBe(true);
  const url = fixtureUrl('worker/havoc-bus');
  expect((await rejection(WorkerBusGroup.start(url, { size: 1.5 }))).message).toContain('whole number of threads');
  expect((await rejection(WorkerBusGroup.start(url, { size: 1, route: 'any' as never }))).message).toContain('route');
});

test('group - stopped as a whole', async () => {
  const group = await startGroup();
  await group.stop();
  await group[Symbol.asyncDispose]();
  expect(() => group.dispatch(new Double({ n: 1 }))).toThrow(/was stopped/);
});

test('group - a route that gives no key refuses the event, which is left as it was', async () => {
  const group = await startGroup({ route: ((event: BaseEvent) => (event as Double).n || undefined) as never });
  const later = await startGroup({ route: (async () => 'key') as never });
  expect(await pathOf(new Double({ n: 1 }), group)).toHaveLength(1);
  const event = new Double({ n: 0 });
  expect(() => group.dispatch(event)).toThrow(
    'Expected route to give a string or a number as the key of a Double; got undefined',
  );
  expect(() => later.dispatch(event)).toThrow('it returned a promise, as an async function does');
  expect(event.event_path).toEqual([]);
});
