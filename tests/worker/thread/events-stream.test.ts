import type { BaseEvent } from '@threadbus/core';
import { isWorkerCrashedError } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { Double, Havoc } from '../../fixtures/worker/events.ts';
import { rejection } from '../../helpers/gate.ts';
import { startBus } from '../../helpers/worker-bus.ts';

async function readAll(stream: AsyncIterable<BaseEvent>, seen: number[]): Promise<void> {
  for await (const event of stream) if (event instanceof Double) seen.push(event.n);
}

test('events - of a bus in a thread go on when the thread is replaced, and end with the bus', async () => {
  const bus = await startBus('havoc-bus');
  const seen: number[] = [];
  const reading = readAll(bus.events(Double), seen);
  await bus.dispatch(new Double({ n: 1 }));
  await bus.dispatch(new Havoc({ what: 'process.exit' }));
  await bus.dispatch(new Double({ n: 2 }));
  await bus.stop();
  await reading;
  expect(seen).toEqual([1, 2]);
  expect(() => bus.events(Double)).toThrow('was stopped');
});

test('events - a bus that is lost is no end in order: what is buffered comes, then the reason', async () => {
  const bus = await startBus('havoc-bus', { restart: 'never' });
  const stream = bus.events(Double);
  await bus.dispatch(new Double({ n: 1 }));
  await bus.dispatch(new Havoc({ what: 'process.exit' }));
  const seen: number[] = [];
  const error = await rejection(readAll(stream, seen));
  expect(seen).toEqual([1]);
  expect(isWorkerCrashedError(error)).toBe(true);
  expect((await stream.next()).done).toBe(true);
});
