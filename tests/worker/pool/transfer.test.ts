import { BaseEvent, type EventBus } from '@threadbus/core';
import { HandlerPool, transfer } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { startBus } from '../../helpers/worker-bus.ts';

function poolBus(module: URL | string): EventBus {
  const pool = new HandlerPool({ maxThreads: 1 });
  const bus = quietBus();
  onTestFinished(() => pool.stop());
  bus.on('Step', pool.handler(module));
  return bus;
}

interface Moved {
  readonly bytes: Uint8Array;
  readonly length: number;
}

test.each(['a pool', 'a bus in a thread'])('transfer - a handler of %s moves its buffers back', async (where) => {
  const bus: Pick<EventBus, 'dispatch'> =
    where === 'a pool'
      ? poolBus(fixtureUrl('worker/moving-task'))
      : await startBus('moving-bus', { isolation: 'thread' });
  for (const length of [1000, 2000]) {
    const { bytes } = (await bus.dispatch(new Step({ what: 'move', n: length })).eventResult()) as Moved;
    expect([bytes.length, bytes[length - 1]]).toEqual([length, 7]);
  }
  // They are gone where the handler ran.
  expect(await bus.dispatch(new Step({ what: 'left' })).eventResult()).toEqual([0, 0]);
});

test('transfer - what moves may be anywhere in the value, the value itself, and in the results of children', async () => {
  const text = `
    import { transfer } from ${JSON.stringify(import.meta.resolve('@threadbus/worker'))};
    const make = () => new Uint8Array([1, 2, 3]);
    const ways = {
      itself() { const bytes = make(); return [transfer(bytes, [bytes.buffer]), bytes]; },
      buffer() { const { buffer } = make(); return [transfer(buffer, [buffer]), { buffer }]; },
      deep() { const bytes = make(); return [transfer({ map: new Map([['a', [{ bytes }]]]) }, [bytes.buffer]), bytes]; },
      set() { const bytes = make(); return [transfer({ set: new Set([bytes]) }, [bytes.buffer]), bytes]; },
    };
    export default ({ what }) => {
      const [value, kept] = ways[what]();
      setImmediate(() => setImmediate(() => { globalThis.left = (kept.buffer ?? kept).byteLength; }));
      return value;
    };`;
  const bus = poolBus(moduleOf(text));
  bus.on('Left', () => null);
  const all: unknown[] = [];
  for (const what of ['itself', 'buffer', 'deep', 'set']) {
    all.push(await bus.dispatch(new BaseEvent({ what }, { event_type: 'Step' })).eventResult());
  }
  const bytes = new Uint8Array([1, 2, 3]);
  expect(all).toEqual([bytes, bytes.buffer, { map: new Map([['a', [{ bytes }]]]) }, { set: new Set([bytes]) }]);
});

test('transfer - on a bus of the same thread nothing moves', async () => {
  const bus = quietBus();
  const bytes = new Uint8Array(8);
  bus.on('Step', () => transfer({ bytes }, [bytes.buffer]));
  const value = (await bus.dispatch(new Step({ what: 'move' })).eventResult()) as Moved;
  expect([value.bytes, bytes.byteLength]).toEqual([bytes, 8]);
});

test('transfer - gives back the value, and refuses what can not move', () => {
  const bytes = new Uint8Array(1);
  const value = { bytes };
  expect(transfer(value, [bytes.buffer])).toBe(value);
  expect(() => transfer(value, bytes.buffer as never)).toThrow(
    /Expected the buffers of transfer to be an array, such as/,
  );
  expect(() => transfer(value, [bytes as never])).toThrow(/to be what holds the bytes, such as bytes.buffer; got/);
});
