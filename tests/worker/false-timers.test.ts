import { BaseEvent } from '@threadbus/core';
import { HandlerPool, WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Step } from '../fixtures/worker/events.ts';
import { fixtureUrl } from '../helpers/fixture.ts';
import { rejection } from '../helpers/gate.ts';
import { moduleOf } from '../helpers/module.ts';
import { quietBus } from '../helpers/quiet-bus.ts';

/** Clocks and timers that stand still, as a test puts them in place of Node's. */
function standStill(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
  onTestFinished(() => void vi.useRealTimers());
}

test.each(['thread', 'process'] as const)(
  'false timers - a bus in a %s serves, is waited for and ends what blocks it, whatever a test makes of the clock',
  { timeout: 30_000 },
  async (isolation) => {
    const bus = await WorkerBus.start(fixtureUrl('worker/held-bus'), { isolation, stderr: true });
    onTestFinished(() => bus.stop({ timeout: 0 }));
    standStill();
    expect(await bus.dispatch(new Step({ what: '', n: 0 })).eventResult()).toBe(bus.pid);
    const blocks = bus.dispatch(new Step({ what: '', n: 60_000 }, { event_timeout: 1 }));
    expect(await bus.waitUntilIdle({ timeout: 0.2 })).toBe(false);
    expect((await rejection(blocks.eventResult())).name).toBe('HandlerTimeoutError');
    expect(await bus.dispatch(new Step({ what: '', n: 0 })).eventResult()).toBe(bus.pid);
    await bus.stop({ timeout: 1 });
  },
);

test('false timers - a pool ends what blocks it, also where a program has taken the clock away', async () => {
  const pool = new HandlerPool({ maxThreads: 1 });
  onTestFinished(() => pool.stop());
  standStill();
  vi.stubGlobal('performance', undefined);
  onTestFinished(() => void vi.unstubAllGlobals());
  const bus = quietBus();
  bus.on('Go', pool.handler(moduleOf('export default ({ endless }) => { while (endless); return 1; }')));
  const go = (payload: object): BaseEvent => new BaseEvent(payload, { event_type: 'Go', event_timeout: 0.2 });
  expect((await rejection(bus.dispatch(go({ endless: true })).eventResult())).name).toBe('HandlerTimeoutError');
  expect(await bus.dispatch(go({})).eventResult()).toBe(1);
});
