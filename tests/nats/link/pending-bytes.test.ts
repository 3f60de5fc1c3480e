import { BaseEvent, isBusCapacityError, isHandlerCancelledError } from '@threadbus/core';
import { isLinkError } from '@threadbus/nats';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { gate, rejection, stateOf } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { thrown } from '../../helpers/thrown.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Proxy } from '../helpers/proxy.ts';

const Big = BaseEvent.extend('Big', { n: z.number(), body: z.unknown() }, { result: z.number() });
const kilobyte = 1024;

describe.skipIf(!hasServer)('maxPendingBytes', () => {
  const server = sharedServer();

  /** A link that carries one event at a time, whose far handler waits for the gate. */
  async function pair(maxPendingBytes: number) {
    const same = { servers: server().url, namespace: newNamespace() };
    const [here, there] = [await connected(same), await connected(same)];
    const [started, open] = [gate(), gate()];
    const far = quietBus({ name: 'Far', maxPending: null, parallelHandlers: true });
    far.on(Big, async ({ n }) => {
      started.open();
      await open.opened;
      return n;
    });
    await there.serve(far);
    const remote = await here.join(quietBus({ name: 'Main' }), 'Far', { maxInFlight: 1, maxPendingBytes });
    return { remote, started, open };
  }

  test.each([
    ['text', 'x'.repeat(10 * kilobyte)],
    ['bytes', new Uint8Array(10 * kilobyte)],
    ['a buffer within a map', new Map([['a', { b: [new ArrayBuffer(10 * kilobyte)] }]])],
    ['many numbers', Array.from({ length: 2 * kilobyte }, (_, n) => n)],
    ['many names', Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`a name that is rather long ${n}`, n]))],
  ])('maxPendingBytes - counts what waits for its place on the wire: %s', async (_what, body) => {
    const { remote, started, open } = await pair(45 * kilobyte);
    const calls = [remote.dispatch(new Big({ n: 0, body }))];
    await started.opened;
    let refused: unknown;
    let last = new Big({ n: 1, body });
    for (let n = 2; n < 50 && refused === undefined; n += 1) {
      try {
        calls.push(remote.dispatch(last));
        last = new Big({ n, body });
      } catch (error) {
        refused = error;
      }
    }
    expect(isBusCapacityError(refused)).toBe(true);
    expect(last.event_status).toBe('pending');
    expect((refused as Error).message).toContain('maxPendingBytes is 46080');
    // Of four or five, whose bodies are 10 to 20 kB as they travel.
    expect(calls.length).toBeGreaterThan(2);
    expect(calls.length).toBeLessThan(8);
    open.open();
    expect(await Promise.all(calls.map((call) => call.eventResult()))).toEqual(calls.map((_, n) => n));
    await remote.dispatch(new Big({ n: 99, body }));
  });

  test('maxPendingBytes - what is cancelled while it waits is not counted any more', async () => {
    const { remote, started, open } = await pair(30 * kilobyte);
    const body = 'x'.repeat(40 * kilobyte);
    const first = remote.dispatch(new Big({ n: 0, body: '' }));
    await started.opened;
    const ending = new AbortController();
    const waiting = remote.dispatch(new Big({ n: 1, body }), { signal: ending.signal });
    expect(isBusCapacityError(thrown(() => remote.dispatch(new Big({ n: 2, body: '' }))))).toBe(true);
    ending.abort();
    expect(isHandlerCancelledError(await rejection(waiting.eventResult()))).toBe(true);
    const third = remote.dispatch(new Big({ n: 3, body: '' }));
    open.open();
    expect([await first.eventResult(), await third.eventResult()]).toEqual([0, 3]);
  });

  test('maxPendingBytes - a field that can not be read is the error of its event', async () => {
    const { remote, started, open } = await pair(30 * kilobyte);
    const first = remote.dispatch(new Big({ n: 0, body: '' }));
    await started.opened;
    const body = {
      get bad(): never {
        throw new Error('no');
      },
    };
    const call = remote.dispatch(new Big({ n: 1, body }));
    const circle: unknown[] = [];
    circle.push(circle);
    const third = remote.dispatch(new Big({ n: 2, body: circle }));
    open.open();
    expect(await first.eventResult()).toBe(0);
    expect((await rejection(call.eventResult())).name).toBe('UnserializableError');
    expect(await third.eventResult()).toBe(2);
  });

  test('maxPendingBytes - waitForCapacity waits for room, and ends with its signal or the link', async () => {
    const same = { servers: server().url, namespace: newNamespace() };
    const proxy = await Proxy.to(server().port);
    const [here, there] = [await connected({ ...same, servers: proxy.url }), await connected(same)];
    const far = quietBus({ name: 'Far', maxPending: null });
    far.on(Big, ({ n }) => n);
    await there.serve(far);
    const remote = await here.join(quietBus({ name: 'Main' }), 'Far', { maxPendingBytes: 20 * kilobyte });
    const body = 'x'.repeat(30 * kilobyte);
    // Each is more than may wait: one at a time goes, and none is refused.
    const calls = [];
    for (let n = 0; n < 20; n += 1) {
      await remote.waitForCapacity();
      calls.push(remote.dispatch(new Big({ n, body })).eventResult());
    }
    expect(await Promise.all(calls)).toEqual(calls.map((_, n) => n));
    proxy.cut();
    const last = remote.dispatch(new Big({ n: 1, body }));
    const ending = new AbortController();
    const [ended, closed] = [remote.waitForCapacity({ signal: ending.signal }), remote.waitForCapacity()];
    expect(await stateOf(closed)).toBe('pending');
    ending.abort(new Error('enough'));
    expect((await rejection(ended)).message).toBe('enough');
    const lastEnds = rejection(last.eventResult());
    const closing = remote.close();
    expect(isLinkError(await rejection(closed))).toBe(true);
    await Promise.all([closing, lastEnds]);
  });
});
