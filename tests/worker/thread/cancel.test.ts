import { HandlerAbortedError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Step } from '../../fixtures/worker/events.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { startBus } from '../../helpers/worker-bus.ts';

test('cancel - a handler that blocks its thread is ended with the thread, and the replacement goes on', async () => {
  const begun = sharedCounter();
  const bus = await startBus('busy-bus', { workerData: { begun: begun.buffer } });
  const { threadId } = bus;
  const controller = new AbortController();
  const dispatch = bus.dispatch(new Step({ what: 'busy', n: 60_000 }), { signal: controller.signal });
  const behind = bus.dispatch(new Step({ what: 'busy', n: 1 }));
  await begun.reached(1);
  const reason = new Error('enough');
  controller.abort(reason);
  const [result] = [...(await dispatch).event_results.values()];
  expect(result?.error).toBeInstanceOf(HandlerAbortedError);
  expect((result?.error as Error | undefined)?.cause).toBe(reason);
  expect(await behind.eventResult()).toBe(2);
  expect(bus.threadId).not.toBe(threadId);
});
