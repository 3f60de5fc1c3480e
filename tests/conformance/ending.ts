import {
  BaseEvent,
  isBusStoppedError,
  isHandlerAbortedError,
  isHandlerCancelledError,
  isHandlerTimeoutError,
  isTimeoutError,
} from '@threadbus/core';
import { expect, test } from 'vitest';
import { Echo, Hold, Impatient, Note, Noted, Slow } from '../fixtures/worker/conformance-events.ts';
import { rejection } from '../helpers/gate.ts';
import { hasControl, startSubject, type Subject, type SubjectKind } from './subject.ts';

const Brief = BaseEvent.extend('Brief', {}, { timeout: 0.2 });

/** Timeouts, cancelling, idleness, capacity, and the end. */
export function endingTests(subject: () => Subject, kind: SubjectKind): void {
  test('timeout - a handler that overruns is ended by its signal', async () => {
    const { bus } = subject();
    const error = await rejection(bus.dispatch(new Slow({ key: 'slow' })).eventResult());
    expect(isHandlerTimeoutError(error)).toBe(true);
    expect(error).toMatchObject({ timeout: 0.2 });
    expect(await bus.dispatch(new Noted({ key: 'slow' })).eventResult()).toEqual([1, 2]);
  });

  test('timeout - the children that a handler awaited end with it', async () => {
    const event = await subject().bus.dispatch(new Impatient({ key: 'impatient' }));
    const failed = [...event.event_results.values()].find(({ handler_name }) => handler_name === 'impatient');
    expect(isHandlerTimeoutError(failed?.error)).toBe(true);
    const [child] = event.event_children;
    const slow = [...(child as BaseEvent).event_results.values()].find(({ handler_name }) => handler_name === 'slow');
    expect(isHandlerAbortedError(slow?.error)).toBe(true);
  });

  test('cancel - a handler at home that overruns cancels what it awaits over there', async () => {
    const { bus, home, seen, release } = subject();
    const key = 'cancelled';
    bus.dispatch(new Hold({ key }));
    await seen(key).opened;
    using _brief = home.on(Brief, async () => {
      await Promise.all([bus.dispatch(new Slow({ key }, { event_timeout: 60 })), bus.dispatch(new Echo({ value: 1 }))]);
    });
    const event = await home.dispatch(new Brief({}));
    expect(isHandlerTimeoutError([...event.event_results.values()][0]?.error)).toBe(true);
    for (const child of event.event_children) {
      const errors = [...child.event_results.values()].map(({ error }) => error).filter((error) => error !== null);
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors) expect(isHandlerCancelledError(error) || isHandlerAbortedError(error)).toBe(true);
      expect((child.event_started_at ?? '') >= child.event_created_at).toBe(true);
    }
    const results = event.event_children.flatMap((child) => [...child.event_results.values()]);
    const unstarted = results.filter(({ error }) => isHandlerCancelledError(error));
    expect(unstarted.map(({ started_at }) => started_at)).toEqual([null]);
    release(key).open();
    expect(await bus.dispatch(new Echo({ value: 'usable' })).eventResult()).toBe('usable');
  });

  test('wait - a helper’s own timeout and signal end the wait alone', async () => {
    const { bus, seen, release } = subject();
    const held = bus.dispatch(new Hold({ key: 'wait' }));
    expect(isTimeoutError(await rejection(held.eventResult({ timeout: 0.02 })))).toBe(true);
    const ending = new AbortController();
    const aborted = held.eventResult({ signal: ending.signal });
    ending.abort(new Error('enough'));
    expect((await rejection(aborted)).message).toBe('enough');
    await seen('wait').opened;
    release('wait').open();
    expect((await held).event_status).toBe('completed');
  });

  test.runIf(hasControl(kind))(
    'idle - waitUntilIdle waits for what was dispatched before, and for children',
    async () => {
      const { bus, seen, release } = subject();
      const held = bus.dispatch(new Hold({ key: 'idle' }));
      await seen('idle').opened;
      expect(await bus.waitUntilIdle({ timeout: 0.05 })).toBe(false);
      release('idle').open();
      expect(await bus.waitUntilIdle()).toBe(true);
      expect(held.event.event_status).toBe('completed');
    },
  );

  test('capacity - waitForCapacity resolves when there is room', async () => {
    const { bus } = subject();
    for (let value = 0; value < 1000; value += 1) {
      await bus.waitForCapacity();
      bus.dispatch(new Note({ key: 'capacity', value }));
    }
    expect(await bus.dispatch(new Noted({ key: 'capacity' })).eventResult()).toHaveLength(1000);
  });

  test.runIf(hasControl(kind))(
    'stop - settles what is under way, refuses what comes later, twice does no harm',
    async () => {
      await using fresh = await startSubject(kind);
      const { bus, seen, release } = fresh;
      const held = bus.dispatch(new Hold({ key: 'stop' }));
      const queued = bus.dispatch(new Echo({ value: 1 }));
      const expected = rejection(bus.expect('Never'));
      await seen('stop').opened;
      await bus.stop();
      // What its handlers had dispatched to other buses goes on and is waited for.
      release('stop').open();
      for (const dispatch of [held, queued]) {
        const event = await dispatch;
        expect(event.event_status).toBe('completed');
        const errors = [...event.event_results.values()].map(({ error }) => error as Error | null);
        expect(errors.some((error) => error !== null)).toBe(true);
      }
      expect(isBusStoppedError(await expected)).toBe(true);
      expect(() => bus.dispatch(new Echo({ value: 1 }))).toThrow(expect.objectContaining({ name: 'BusStoppedError' }));
      await bus.stop();
    },
  );

  test.runIf(hasControl(kind))('stop - with a timeout it lets the work finish first', async () => {
    await using fresh = await startSubject(kind);
    const { bus } = fresh;
    const sent = Array.from({ length: 50 }, (_, value) => bus.dispatch(new Echo({ value })).eventResult());
    await bus.stop({ timeout: 10 });
    expect(await Promise.all(sent)).toEqual(Array.from({ length: 50 }, (_, value) => value));
  });
}
