import { type BaseEvent, type EventResult, isHandlerAbortedError, isHandlerCancelledError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Begun, Echo, Hold, Impatient, Noted, Slow } from '../fixtures/worker/conformance-events.ts';
import { ticks } from '../helpers/gate.ts';
import type { Subject } from './subject.ts';

/** `dispatch(event, { signal })`: cancelled is the event wherever it is. */
export function cancellingTests(subject: () => Subject): void {
  test('cancel - an event that waits over there never starts, and its error names the signal’s reason', async () => {
    const { bus, seen, release } = subject();
    const key = 'cancel queued';
    const held = bus.dispatch(new Hold({ key }));
    await seen(key).opened;
    const controller = new AbortController();
    const queued = bus.dispatch(new Echo({ value: 1 }), { signal: controller.signal });
    const behind = bus.dispatch(new Echo({ value: 2 }));
    await ticks();
    const reason = new Error('not needed any more');
    controller.abort(reason);
    const failed = failuresOf(await queued);
    expect(failed).not.toEqual([]);
    for (const { error, started_at } of failed) {
      expect(isHandlerCancelledError(error)).toBe(true);
      expect((error as Error).cause).toBe(reason);
      expect(started_at).toBeNull();
    }
    release(key).open();
    expect(await behind.eventResult()).toBe(2);
    await held;
  });

  test('cancel - a handler that runs over there gets its signal, and an error with the reason', async () => {
    const { bus } = subject();
    const key = 'cancel running';
    const controller = new AbortController();
    const slow = begun(subject(), key);
    const dispatch = bus.dispatch(new Slow({ key }, { event_timeout: 60 }), { signal: controller.signal });
    await slow;
    controller.abort('enough');
    const errors = failuresOf(await dispatch).map(({ error }) => error as Error);
    expect(errors.some(isHandlerAbortedError)).toBe(true);
    expect(errors.map(({ cause }) => cause)).toEqual(errors.map(() => 'enough'));
    expect(await bus.dispatch(new Noted({ key })).eventResult()).toEqual([1, 2]);
  });

  test('cancel - the children that its handler awaits end with it, and name the same reason', async () => {
    const { bus } = subject();
    const key = 'cancel children';
    const controller = new AbortController();
    const slow = begun(subject(), key);
    const dispatch = bus.dispatch(new Impatient({ key }, { event_timeout: 60 }), { signal: controller.signal });
    await slow;
    const reason = new Error('gone', { cause: 7 });
    controller.abort(reason);
    const event = await dispatch;
    const [child] = event.event_children as [BaseEvent];
    for (const each of [event, child]) {
      const causes = failuresOf(each).map(({ error }) => (error as Error).cause);
      expect(causes).not.toEqual([]);
      expect(causes.every((cause) => cause === reason)).toBe(true);
    }
  });

  test('cancel - a signal that has aborted refuses the event, and one that aborts later does no harm', async () => {
    const { bus } = subject();
    const event = new Echo({ value: 'late' });
    const reason = new RangeError('over');
    expect(() => bus.dispatch(event, { signal: AbortSignal.abort(reason) })).toThrow(reason);
    expect([event.event_status, event.event_path]).toEqual(['pending', []]);
    const controller = new AbortController();
    expect(await bus.dispatch(event, { signal: controller.signal }).eventResult()).toBe('late');
    controller.abort();
    expect(failuresOf(event)).toEqual([]);
  });

  test('cancel - reaches an event that was forwarded from home', async () => {
    const { bus, home } = subject();
    const key = 'cancel forwarded';
    using _forward = home.on(Slow, bus.dispatch);
    const controller = new AbortController();
    const slow = begun(subject(), key);
    const dispatch = home.dispatch(new Slow({ key }, { event_timeout: 60 }), { signal: controller.signal });
    await slow;
    const reason = new Error('forwarded, then not wanted');
    controller.abort(reason);
    const failed = failuresOf(await dispatch);
    expect(failed.map(({ handler_name }) => handler_name)).toEqual(['slow']);
    expect(failed.map(({ error }) => (error as Error).cause)).toEqual([reason]);
  });
}

function failuresOf(event: BaseEvent): EventResult[] {
  return [...event.event_results.values()].filter(({ status }) => status === 'error');
}

/** Asked for before the event is dispatched: its handler has begun. */
async function begun({ home }: Subject, key: string): Promise<void> {
  await home.expect(Begun, { include: (event) => event.key === key, timeout: 10 });
}
