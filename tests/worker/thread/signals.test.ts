import { getEventListeners } from 'node:events';
import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Havoc } from '../../fixtures/worker/events.ts';
import { startBus } from '../../helpers/worker-bus.ts';

test('signals - one for many waits on a worker bus warns of nothing, and keeps nothing of them', async () => {
  const warnings: unknown[] = [];
  const onWarning = (warning: unknown): unknown => warnings.push(warning);
  process.on('warning', onWarning);
  const bus = await startBus('havoc-bus');
  const { signal } = new AbortController();
  const waits = Array.from({ length: 20 }, async () => {
    await bus.waitUntilIdle({ signal });
    await bus.waitForCapacity({ signal });
  });
  const expected = Array.from({ length: 20 }, () => bus.expect('Nothing', { signal }).catch(() => undefined));
  for (let i = 0; i < 20; i += 1) bus.on(`Type${i}`, () => i, { signal });
  await Promise.all(waits);
  const crash = bus.dispatch(new Havoc({ what: 'process.exit' }));
  const later = Array.from({ length: 20 }, () => bus.waitUntilIdle({ signal }).catch(() => undefined));
  await Promise.all([...later, crash]);
  expect(getEventListeners(signal, 'abort').length).toBe(1);
  await bus.stop();
  await Promise.all(expected);
  expect(getEventListeners(signal, 'abort').length).toBe(0);
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

test('signals - an abort ends a wait for a thread that is being replaced, with its reason', async () => {
  const bus = await startBus('havoc-bus');
  const end = new AbortController();
  await bus.dispatch(new Havoc({ what: 'process.exit' }));
  const wait = bus.waitUntilIdle({ signal: end.signal });
  end.abort(new Error('enough'));
  await expect(wait).rejects.toThrow('enough');
  const { signal } = end;
  await expect(bus.waitUntilIdle({ signal })).rejects.toThrow('enough');
  expect(getEventListeners(signal, 'abort').length).toBe(0);
});

test('signals - what transfer is to move is an array of buffers and ports', async () => {
  const bus = await startBus('havoc-bus');
  const buffer = new ArrayBuffer(8);
  const event = (): BaseEvent => new BaseEvent({ data: buffer }, { event_type: 'Any' });
  const wrong: [unknown, RegExp][] = [
    [buffer, /Expected transfer to be an array of the ArrayBuffers and MessagePorts.*got an object \(ArrayBuffer\)/],
    [[new Uint8Array(buffer)], /got an object \(Uint8Array\) in it\. Move what is behind it: its buffer/],
    [[new SharedArrayBuffer(8)], /got an object \(SharedArrayBuffer\) in it/],
    [[7], /got 7 \(number\) in it/],
    [null, /got null/],
  ];
  for (const [transfer, message] of wrong) {
    expect(() => bus.dispatch(event(), { transfer: transfer as ArrayBuffer[] })).toThrow(message);
  }
  await bus.dispatch(event(), { transfer: [buffer] });
  expect(buffer.byteLength).toBe(0);
});
