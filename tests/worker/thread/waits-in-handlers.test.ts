import { BaseEvent, type EventBus, isAwaitCycleError, isBusCapacityError } from '@threadbus/core';
import type { WorkerBus } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { startBus } from '../../helpers/worker-bus.ts';

function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: 20 });
}

let homes = 0;

/** Handlers of the bus in the thread need one of `home`, which is held by the handler that waits for them. */
async function start(maxInFlight: number): Promise<{ home: EventBus; far: WorkerBus }> {
  homes += 1;
  const home = quietBus({ name: `WaitsHome${homes}` });
  home.on('Needed', () => 'needed');
  return { home, far: await startBus('needs-parent-bus', { parent: home, maxInFlight }) };
}

test('waits in handlers - until the bus in the thread is idle, which needs this bus', async () => {
  const { home, far } = await start(1);
  home.on('Waits', async () => {
    for (const type of ['Needs', 'Follows', 'Needs']) far.dispatch(event(type), { detached: true });
    const idle = await far.waitUntilIdle();
    return [idle, far.inFlight];
  });
  expect(await home.dispatch(event('Waits')).eventResult()).toEqual([true, 0]);
});

test('waits in handlers - with a limit, which ends the wait and nothing else', async () => {
  const { home, far } = await start(1);
  const needed: string[] = [];
  home.on('Needed', () => void needed.push('needed'));
  home.on('Waits', async () => {
    far.dispatch(event('Needs'), { detached: true });
    return [await far.waitUntilIdle({ timeout: 0 }), await far.waitUntilIdle({ timeout: 15 })];
  });
  expect(await home.dispatch(event('Waits')).eventResult()).toEqual([false, true]);
  expect(needed).toEqual(['needed']);
});

test('waits in handlers - until it is idle, from a handler that it needs, is a cycle', async () => {
  const { home, far } = await start(8);
  const errors: Error[] = [];
  home.on('Needed', async () => {
    errors.push(await rejection(far.waitUntilIdle()));
  });
  await far.dispatch(event('Needs'));
  // Also behind a local hop.
  home.off('Needed');
  home.on('Needed', async () => void (await home.dispatch(event('Hop'))));
  home.on('Hop', async () => void errors.push(await rejection(far.waitUntilIdle())));
  await far.dispatch(event('Needs'));
  expect(errors.map((error) => isAwaitCycleError(error) && error.message)).toEqual([
    expect.stringContaining(`A handler of Needed waits until ${far.name} is idle`),
    expect.stringContaining(`A handler of Hop waits until ${far.name} is idle`),
  ]);
});

test('waits in handlers - for a place that an event holds which needs this bus', async () => {
  const { home, far } = await start(1);
  home.on('Waits', async () => {
    const sent = [];
    for (let n = 0; n < 5; n += 1) {
      await far.waitForCapacity();
      sent.push(far.dispatch(event('Needs')));
    }
    return Promise.all(sent.map((dispatch) => dispatch.eventResult()));
  });
  expect(await home.dispatch(event('Waits')).eventResult()).toEqual(Array(5).fill('had it'));
});

test('waits in handlers - for a place that only its own return would free is refused', async () => {
  const { home, far } = await start(1);
  const refused: Error[] = [];
  home.on('Needed', async () => void refused.push(await rejection(far.waitForCapacity())));
  await far.dispatch(event('Needs'));
  expect(refused.map(isBusCapacityError)).toEqual([true]);
});

test('waits in handlers - a stop with time lets finish what needs this bus, and ends what needs the handler', async () => {
  const { home, far } = await start(8);
  home.on('Stops', async () => {
    const sent = far.dispatch(event('Needs'), { detached: true });
    await far.stop({ timeout: 15 });
    return sent.eventResult();
  });
  expect(await home.dispatch(event('Stops')).eventResult()).toBe('had it');
  const { home: second, far: other } = await start(8);
  second.off('Needed');
  second.on('Needed', () => other.stop({ timeout: 15 }));
  const since = performance.now();
  expect((await rejection(other.dispatch(event('Needs')).eventResult())).name).toMatch(/Aborted|Stopped/);
  expect(performance.now() - since).toBeLessThan(10_000);
});
