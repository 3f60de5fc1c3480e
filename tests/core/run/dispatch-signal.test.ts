import { getEventListeners } from 'node:events';
import { BaseEvent, type EventResult, HandlerAbortedError, HandlerCancelledError } from '@threadbus/core';
import { expect, onTestFinished, test } from 'vitest';
import { gate, nextTurn, rejection, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Job = BaseEvent.extend('Job', {});
const Step = BaseEvent.extend('Step', {});

function resultsOf(event: BaseEvent): EventResult[] {
  return [...event.event_results.values()];
}

function causesOf(event: BaseEvent): unknown[] {
  return resultsOf(event).map(({ error }) => (error as Error).cause);
}

function listeners(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

test('dispatch signal - cancels an event that is queued, and the next one goes on', async () => {
  const bus = quietBus();
  const first = gate();
  const ran: string[] = [];
  bus.on(Job, async (event) => {
    ran.push(event.event_id);
    await first.opened;
  });
  const running = bus.dispatch(new Job({}));
  const { signal, abort } = controller();
  const queued = bus.dispatch(new Job({}), { signal });
  const behind = bus.dispatch(new Job({}));
  await nextTurn();
  const reason = new Error('nobody wants it any more');
  abort(reason);
  const event = await queued;
  const [result] = resultsOf(event);
  expect(result?.error).toBeInstanceOf(HandlerCancelledError);
  expect(result?.started_at).toBeNull();
  expect(causesOf(event)).toEqual([reason]);
  expect(String(result?.error)).toContain('an abort');
  first.open();
  await Promise.all([running, behind]);
  expect(ran).toEqual([running.event.event_id, behind.event.event_id]);
});

test('dispatch signal - aborts the handlers that run and cancels those to come', async () => {
  const bus = quietBus();
  const { signal, abort } = controller();
  const seen: unknown[] = [];
  bus.on(Job, async function runs(_event, context) {
    context.signal.addEventListener('abort', () => seen.push(context.signal.reason));
    await new Promise(() => undefined);
  });
  bus.on(Job, function comes() {
    seen.push('called');
  });
  const dispatch = bus.dispatch(new Job({}), { signal });
  await nextTurn();
  abort('enough');
  const event = await dispatch;
  const [runs, comes] = resultsOf(event);
  expect(runs?.error).toBeInstanceOf(HandlerAbortedError);
  expect(comes?.error).toBeInstanceOf(HandlerCancelledError);
  expect(causesOf(event)).toEqual(['enough', 'enough']);
  expect(seen).toEqual([runs?.error]);
});

test('dispatch signal - takes along the children that only its handler awaits, with the same cause', async () => {
  const bus = quietBus();
  const { signal, abort } = controller();
  const hold = gate();
  bus.on(Job, async () => {
    bus.dispatch(new Step({}, { event_id: dropped }));
    await bus.dispatch(new Step({}));
  });
  bus.on(Step, async () => hold.opened);
  const dispatch = bus.dispatch(new Job({}), { signal });
  await ticks();
  const reason = new Error('given up');
  abort(reason);
  await ticks();
  const [left, awaited] = dispatch.event.event_children as [BaseEvent, BaseEvent];
  expect(awaited.event_status).toBe('completed');
  expect(causesOf(awaited)).toEqual([reason]);
  expect(left.event_status).not.toBe('completed');
  hold.open();
  const event = await dispatch;
  expect(causesOf(event)).toEqual([reason]);
  expect(resultsOf(left).map(({ status }) => status)).toEqual(['completed']);
});

const dropped = '0190b3a0-0000-7000-8000-000000000001';

test('dispatch signal - reaches every copy, also one that is forwarded after the abort', async () => {
  const [a, b, c] = [quietBus({ name: 'SignalA' }), quietBus({ name: 'SignalB' }), quietBus({ name: 'SignalC' })];
  const { signal, abort } = controller();
  const late = gate();
  const ran: string[] = [];
  a.on(Job, b.dispatch);
  a.on(Job, async function zombie(event) {
    await late.opened;
    c.dispatch(event);
  });
  b.on(Job, async () => new Promise(() => undefined));
  c.on(Job, () => void ran.push('c'));
  const dispatch = a.dispatch(new Job({}), { signal });
  await ticks();
  const reason = new Error('stop all');
  abort(reason);
  const event = await dispatch;
  expect(resultsOf(event).map(({ eventbus_name, error }) => [eventbus_name, (error as Error | null)?.cause])).toEqual([
    ['SignalA', undefined],
    ['SignalA', reason],
    ['SignalB', reason],
  ]);
  late.open();
  await ticks();
  expect(ran).toEqual([]);
  expect(resultsOf(event).at(-1)?.error).toBeInstanceOf(HandlerCancelledError);
});

test('dispatch signal - one that has aborted throws its reason and leaves no trace', async () => {
  const bus = quietBus();
  bus.on(Job, async () => {
    const error = await rejection(
      Promise.resolve().then(() => bus.dispatch(step, { signal: AbortSignal.abort(reason) })),
    );
    expect(error).toBe(reason);
  });
  const reason = new Error('too late');
  const step = new Step({});
  const event = new Job({});
  expect(() => bus.dispatch(event, { signal: AbortSignal.abort(reason) })).toThrow(reason);
  expect([event.event_status, event.event_path, bus.eventHistory.size]).toEqual(['pending', [], 0]);
  // What its handler has found is thrown here.
  await bus.dispatch(event).eventResult({ raiseIfNone: false });
  expect([step.event_parent_id, event.event_children]).toEqual([null, []]);
});

test('dispatch signal - a timeout signal is a deadline that includes the queue', async () => {
  const bus = quietBus();
  const hold = gate();
  bus.on(Job, () => hold.opened);
  bus.dispatch(new Job({}));
  const event = await bus.dispatch(new Job({}), { signal: AbortSignal.timeout(20) });
  expect((causesOf(event)[0] as Error).name).toBe('TimeoutError');
  hold.open();
});

test('dispatch signal - a thousand events with one signal are one listener, and none when they are complete', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  const bus = quietBus({ maxPending: null });
  const { signal, abort } = controller();
  const hold = gate();
  bus.on(Job, () => hold.opened);
  const first = Array.from({ length: 1_000 }, () => bus.dispatch(new Job({}), { signal }));
  expect(listeners(signal)).toBe(1);
  hold.open();
  await Promise.all(first);
  expect(listeners(signal)).toBe(0);
  bus.off(Job);
  bus.on(Step, async () => new Promise(() => undefined));
  const second = Array.from({ length: 1_000 }, () => bus.dispatch(new Step({}), { signal }));
  await nextTurn();
  abort('all');
  const events = await Promise.all(second);
  expect(new Set(events.flatMap(causesOf))).toEqual(new Set(['all']));
  expect(listeners(signal)).toBe(0);
  await nextTurn();
  expect(warnings).toEqual([]);
});

test('dispatch signal - of two dispatches of one event either ends it', async () => {
  const [a, b] = [quietBus(), quietBus()];
  const [one, two] = [controller(), controller()];
  for (const bus of [a, b]) bus.on(Job, async () => new Promise(() => undefined));
  const event = new Job({});
  a.dispatch(event, { signal: one.signal });
  const dispatch = b.dispatch(event, { signal: two.signal });
  await nextTurn();
  two.abort('two');
  await dispatch;
  expect(causesOf(event)).toEqual(['two', 'two']);
  expect([listeners(one.signal), listeners(two.signal)]).toEqual([0, 0]);
});

test('dispatch signal - null is a reason, too; what is no signal is refused', async () => {
  const bus = quietBus();
  const { signal, abort } = controller();
  bus.on(Job, async () => new Promise(() => undefined));
  const dispatch = bus.dispatch(new Job({}), { signal });
  await nextTurn();
  abort(null);
  expect(causesOf(await dispatch)).toEqual([null]);
  expect(() => bus.dispatch(new Job({}), { signal: {} as AbortSignal })).toThrow(/signal to be an AbortSignal/);
});

function controller(): { signal: AbortSignal; abort: (reason: unknown) => void } {
  const made = new AbortController();
  return { signal: made.signal, abort: (reason) => made.abort(reason) };
}
