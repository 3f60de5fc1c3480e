import { getEventListeners } from 'node:events';
import { BaseEvent } from '@threadbus/core';
import { expect, onTestFinished, test } from 'vitest';
import { nextTurn } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { startBus } from '../../helpers/worker-bus.ts';

const Ping = BaseEvent.extend('Ping', {});

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

function recordWarnings(): Error[] {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  return warnings;
}

test('signal - one for many handlers, waits and filters is one listener and no warning', async () => {
  const warnings = recordWarnings();
  const bus = quietBus();
  const { signal } = new AbortController();
  const waits: Promise<unknown>[] = [];
  for (let n = 0; n < 20; n += 1) {
    bus.on(Ping, () => n, { signal });
    waits.push(bus.expect('Never', { signal }), bus.find('Never', { future: true, signal }));
  }
  bus.on('Hold', () => new Promise(() => undefined));
  const { event } = bus.dispatch(new BaseEvent({}, { event_type: 'Hold' }));
  for (let n = 0; n < 20; n += 1) {
    waits.push(event.eventCompleted({ signal }), event.eventResult({ signal }), bus.waitUntilIdle({ signal }));
  }
  expect(listeners(signal)).toBe(1);
  await bus.stop();
  await Promise.allSettled(waits);
  await nextTurn();
  expect(listeners(signal)).toBe(0);
  expect(warnings).toEqual([]);
});

test('signal - a handler may add any number of listeners to its own', async () => {
  const warnings = recordWarnings();
  const bus = quietBus();
  bus.on(Ping, (_event, { signal }) => {
    for (let n = 0; n < 20; n += 1) signal.addEventListener('abort', () => n);
  });
  await bus.dispatch(new Ping({}));
  await nextTurn();
  expect(warnings).toEqual([]);
});

test('signal - a bus that is stopped leaves no listener behind, here or in a thread', async () => {
  const { signal } = new AbortController();
  const bus = quietBus();
  for (const pattern of [Ping, '*', 'Other']) bus.on(pattern as string, () => 1, { signal });
  expect(listeners(signal)).toBe(1);
  await bus.stop();
  expect(listeners(signal)).toBe(0);
  const remote = await startBus('havoc-bus');
  remote.on(Ping, () => undefined, { signal });
  const expected = remote.expect('Never', { signal }).catch(() => undefined);
  expect(listeners(signal)).toBe(1);
  await remote.stop();
  await expected;
  expect(listeners(signal)).toBe(0);
});
