import { BaseEvent } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';

/** Its handler is done with at once, but what it gives blocks the thread for ever as soon as somebody looks at it. */
const endless = new URL(
  `data:text/javascript,${encodeURIComponent(`
  let cell;
  const block = () => { Atomics.add(cell, 0, 1); Atomics.notify(cell, 0); for (;;); };
  const thrown = (name) => { throw Object.defineProperty(new Error('Thrown'), name, { get: block, enumerable: true }); };
  const kinds = {
    'a getter': () => ({ get endless() { return block(); } }),
    'a getter deep inside': () => new Map([['list', [{ get endless() { return block(); } }]]]),
    'a proxy': () => new Proxy({}, { ownKeys: block, getPrototypeOf: block }),
    'a proxy deep inside': () => ({ inside: new Proxy({}, { ownKeys: block, get: block }) }),
    'a thenable': () => ({ get then() { return block(); } }),
    'the message of an error': () => thrown('message'),
    'the cause of an error': () => thrown('cause'),
    'the field of an error': () => thrown('field'),
    'something thrown': () => { throw { get endless() { return block(); } }; },
  };
  export default ({ kind, isLater, shared }) => {
    cell = shared && new Int32Array(shared);
    const give = kinds[kind] ?? (() => 'fine');
    return isLater ? new Promise((resolve) => setImmediate(resolve)).then(give) : give();
  };`)}`,
);

const kinds = [
  { kind: 'a getter', isLater: false },
  { kind: 'a getter', isLater: true },
  { kind: 'a getter deep inside', isLater: true },
  { kind: 'a proxy', isLater: false },
  { kind: 'a proxy deep inside', isLater: true },
  { kind: 'a thenable', isLater: false },
  { kind: 'the message of an error', isLater: true },
  { kind: 'the cause of an error', isLater: false },
  { kind: 'the field of an error', isLater: true },
  { kind: 'something thrown', isLater: false },
];

const go = (payload: object, limit: number | null): BaseEvent =>
  new BaseEvent(payload, { event_type: 'Go', event_timeout: limit });

test.each(kinds)(
  'pool endless - what blocks as it is read ($kind, later: $isLater) is ended by its time, by a signal, or with the pool',
  async (give) => {
    const pool = new HandlerPool({ maxThreads: 1 });
    const bus = quietBus();
    onTestFinished(() => pool.stop());
    bus.on('Go', pool.handler(endless));

    const timed = await rejection(bus.dispatch(go({ ...give, shared: sharedCounter().buffer }, 0.2)).eventResult());
    expect(timed.name).toBe('HandlerTimeoutError');
    expect(timed.message).toMatch(/timed out after 0.2s/);
    expect(await bus.dispatch(go({}, null)).eventResult()).toBe('fine');

    // Without a limit it has none, as a handler that blocks hasn't: it is whoever waits that ends it.
    const controller = new AbortController();
    const blocks = sharedCounter();
    const cancelled = bus.dispatch(go({ ...give, shared: blocks.buffer }, null), { signal: controller.signal });
    await blocks.reached(1);
    controller.abort(new Error('Enough'));
    expect((await rejection(cancelled.eventResult())).name).toBe('HandlerAbortedError');
    expect(await bus.dispatch(go({}, null)).eventResult()).toBe('fine');

    const again = sharedCounter();
    const stopped = rejection(bus.dispatch(go({ ...give, shared: again.buffer }, null)).eventResult());
    await again.reached(1);
    await pool.stop();
    expect((await stopped).name).toBe('BusStoppedError');
  },
);

test('pool endless - where it blocks is said', async () => {
  const pool = new HandlerPool({ maxThreads: 1 });
  const bus = quietBus();
  onTestFinished(() => pool.stop());
  bus.on('Go', pool.handler(endless));
  const { buffer: shared } = sharedCounter();
  const error = await rejection(bus.dispatch(go({ kind: 'a getter', shared }, 0.5)).eventResult());
  // A starved machine may not ask in time; what it is told is the line of the getter.
  const [frame] = (error as { stuckAt?: readonly { functionName: string }[] }).stuckAt ?? [{ functionName: 'block' }];
  expect(frame?.functionName).toBe('block');
});
