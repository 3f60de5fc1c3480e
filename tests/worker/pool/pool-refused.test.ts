import { BaseEvent } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

test.each([
  ['Atomics.compareExchange', 'Atomics.compareExchange = () => undefined;'],
  ['Map.prototype.get', 'Map.prototype.get = () => undefined;'],
])('pool refused - a thread that takes no call, for a handler replaced %s, is replaced itself', async (_, text) => {
  const pool = new HandlerPool({ maxThreads: 1 });
  const bus = quietBus();
  onTestFinished(() => pool.stop());
  const handler = moduleOf(`
    import { threadId } from 'node:worker_threads';
    export default ({ breaks }) => {
      if (breaks) { ${text} }
      return threadId;
    };`);
  bus.on('Go', pool.handler(handler));
  const go = async (breaks: boolean): Promise<unknown> =>
    bus.dispatch(new BaseEvent({ breaks }, { event_type: 'Go' })).eventResult();

  const broken = await go(true);
  const [next, later] = await Promise.all([go(false), go(false)]);
  expect(next).toBeTypeOf('number');
  expect(next).not.toBe(broken);
  expect(later).toBe(next);
});
