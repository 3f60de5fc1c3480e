import {
  BaseEvent,
  EventBus,
  type EventResult,
  isHandlerAbortedError,
  isHandlerCancelledError,
  isHandlerTimeoutError,
} from '@threadbus/core';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { gate, rejection, ticks } from '../../helpers/gate.ts';

const Slow = BaseEvent.extend('Slow', {}, { timeout: 0.02 });
const Child = BaseEvent.extend('Child', { n: z.number() });

/** Waits for what never comes, but for the handler's signal. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}

function statuses(event: BaseEvent): string[] {
  return [...event.event_results.values()].map(({ status }) => status);
}

test('timeout - ends the handler with an error that names it and the time; the others and the event go on', async () => {
  await using bus = new EventBus({ name: 'Timed' });
  bus.on(Slow, async function hang() {
    await gate().opened;
  });
  bus.on(Slow, () => 'next');
  const event = await bus.dispatch(new Slow());
  const [result] = event.event_results.values();
  expect(statuses(event)).toEqual(['error', 'completed']);
  const error = result?.error as Error;
  expect(isHandlerTimeoutError(error) && [error.timeout, error.busName, error.handlerName, error.eventType]).toEqual([
    0.02,
    'Timed',
    'hang',
    'Slow',
  ]);
  expect(error.message).toBe(
    `Timed.hang(Slow#${event.event_id.slice(-4)}) timed out after 0.02s. Give the event more time (event_timeout), or make the handler end when its context's signal aborts.`,
  );
});

test.each([1e10, Number.MAX_VALUE, 2 ** 31 / 1000 + 1])(
  'timeout - %d seconds, more than a timer can hold, doesn’t fire early',
  async (event_timeout) => {
    await using bus = new EventBus();
    const door = gate();
    bus.on(Slow, () => door.opened);
    const dispatch = bus.dispatch(new Slow({}, { event_timeout }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(dispatch.event.event_status).toBe('started');
    door.open();
    expect(statuses(await dispatch)).toEqual(['completed']);
  },
);

test('timeout - a synchronous handler can’t be interrupted: its value stands', async () => {
  await using bus = new EventBus();
  bus.on(Slow, () => {
    const end = performance.now() + 50;
    while (performance.now() < end);
    return 'late, but there';
  });
  expect(await bus.dispatch(new Slow()).eventResult()).toBe('late, but there');
});

test('timeout - the time in awaited children counts', async () => {
  await using bus = new EventBus();
  bus.on(Slow, async () => {
    for (let n = 0; ; n += 1) await bus.dispatch(new Child({ n }));
  });
  bus.on(Child, () => new Promise((resolve) => setTimeout(resolve, 3)));
  const event = await bus.dispatch(new Slow());
  expect(statuses(event)).toEqual(['error']);
  await bus.waitUntilIdle();
});

function errorOf(result: EventResult | undefined): Error {
  return result?.error as Error;
}

/** Root awaits child awaits grandchild; the grandchild's handlers are five: slow, instant, slow, D and E. */
async function nested(): Promise<{ bus: EventBus; events: Record<'root' | 'child' | 'grandchild', BaseEvent> }> {
  const bus = new EventBus({ name: 'Nested' });
  const Root = BaseEvent.extend('Root', {}, { timeout: 5 });
  const Middle = BaseEvent.extend('Middle', {}, { timeout: 0.7 });
  const Leaf = BaseEvent.extend('Leaf', {}, { timeout: 0.4 });
  const events = { root: new Root(), child: new Middle(), grandchild: new Leaf() };
  bus.on(Leaf, function a() {
    return gate().opened;
  });
  bus.on(Leaf, () => 'instant');
  bus.on(Leaf, async function c(_event, { signal }) {
    await aborted(signal);
    return 'too late';
  });
  bus.on(Leaf, () => 'D');
  bus.on(Leaf, () => 'E');
  bus.on(Middle, async function middle() {
    await bus.dispatch(events.grandchild);
    return 'not reached in time';
  });
  bus.on(Root, async () => {
    const child = await bus.dispatch(events.child);
    return `went on after a ${child.event_status} child`;
  });
  await bus.dispatch(events.root);
  return { bus, events };
}

test('timeout - nested: who times out itself, who is aborted, who never ran', async () => {
  const { bus, events } = await nested();
  const [a, b, c, d, e] = [...events.grandchild.event_results.values()];
  expect(statuses(events.grandchild)).toEqual(['error', 'completed', 'error', 'error', 'error']);
  expect(isHandlerTimeoutError(a?.error)).toBe(true);
  expect(b?.result).toBe('instant');
  expect(isHandlerAbortedError(c?.error)).toBe(true);
  expect(errorOf(c).message).toContain('Nested.c(Leaf) was interrupted because of a parent timeout: ');
  for (const result of [d, e]) {
    expect(isHandlerCancelledError(result?.error)).toBe(true);
    expect(errorOf(result).message).toMatch(
      /^Cancelled pending handler as a result of parent error: Nested\.anonymous\(Leaf\) had not started/,
    );
    expect(result?.started_at).toBeNull();
  }
  const [middle] = events.child.event_results.values();
  expect(errorOf(middle).message).toContain('and interrupted any processing of 1 child events');
  for (const result of [c, d, e]) expect(errorOf(result).cause).toBe(middle?.error);
  await bus.stop();
});

test('timeout - nested: the root handler goes on after its await and completes', async () => {
  const { bus, events } = await nested();
  expect(await events.root.eventResult()).toBe('went on after a completed child');
  await bus.stop();
});

test('timeout - nested: every event completes, so that its waiters resolve', async () => {
  const { bus, events } = await nested();
  for (const event of Object.values(events)) expect(await event.eventCompleted()).toBe(event);
  await bus.stop();
});

test('timeout - nested: afterwards the bus works and becomes idle', async () => {
  const { bus } = await nested();
  expect(await bus.waitUntilIdle({ timeout: 5 })).toBe(true);
  bus.on(Child, ({ n }) => n);
  expect(await bus.dispatch(new Child({ n: 5 })).eventResult()).toBe(5);
  await bus.stop();
});

test('timeout - an un-awaited child is not cancelled with its parent: it runs, and the parent completes after it', async () => {
  await using bus = new EventBus();
  let child: BaseEvent | undefined;
  bus.on(Slow, async () => {
    child = bus.dispatch(new Child({ n: 1 })).event;
    await gate().opened;
  });
  bus.on(Child, () => 'ran');
  const event = await bus.dispatch(new Slow());
  expect(statuses(event)).toEqual(['error']);
  expect(child?.event_status).toBe('completed');
  expect(await child?.eventResult()).toBe('ran');
});

test('timeout - a child that someone else awaits as well is not cancelled', async () => {
  await using bus = new EventBus();
  await using other = new EventBus();
  const door = gate();
  const child = new Child({ n: 1 });
  bus.on(Slow, async () => {
    await other.dispatch(child);
  });
  other.on(Child, async () => {
    await door.opened;
    return 'kept';
  });
  const dispatch = bus.dispatch(new Slow());
  await ticks();
  const outside = child.eventResult();
  await vi.waitFor(() => expect(statuses(dispatch.event)).toEqual(['error']));
  door.open();
  expect(await outside).toBe('kept');
  await dispatch;
});

test('timeout - what a handler returns or throws too late is dropped', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Slow, async () => {
    await door.opened;
    return 'late';
  });
  bus.on(Slow, async () => {
    await door.opened;
    throw new Error('late');
  });
  const event = await bus.dispatch(new Slow());
  const before = [...event.event_results.values()].map(({ error, completed_at }) => [error, completed_at]);
  const completedAt = event.event_completed_at;
  door.open();
  await ticks(10);
  expect([...event.event_results.values()].map(({ error, completed_at }) => [error, completed_at])).toEqual(before);
  expect(statuses(event)).toEqual(['error', 'error']);
  expect(event.event_completed_at).toBe(completedAt);
});

test('timeout - a late dispatch of a handler that timed out runs, and reopens nothing', async () => {
  await using bus = new EventBus();
  const door = gate();
  const late = new Child({ n: 1 });
  bus.on(Slow, async () => {
    await door.opened;
    await bus.dispatch(late);
  });
  const parent = await bus.dispatch(new Slow());
  door.open();
  await vi.waitFor(() => expect(late.event_status).toBe('completed'));
  expect(late.event_parent_id).toBe(parent.event_id);
  expect(parent.event_children).toEqual([]);
  expect(parent.event_status).toBe('completed');
});

test('timeout - the handler’s signal aborts with the error, also when it is asked for too late', async () => {
  await using bus = new EventBus();
  let reason: unknown;
  const door = gate();
  const lateAsk = new Promise<boolean>((resolve) => {
    bus.on(Slow, async (_event, context) => {
      await door.opened;
      resolve(context.signal.aborted);
    });
  });
  bus.on(Slow, async (_event, { signal }) => {
    await aborted(signal);
    reason = signal.reason;
  });
  const event = await bus.dispatch(new Slow());
  door.open();
  expect(reason).toBe([...event.event_results.values()][1]?.error);
  expect(await lateAsk).toBe(true);
});

test('timeout - the signal of a handler that is done never aborts', async () => {
  await using bus = new EventBus();
  let kept: AbortSignal | undefined;
  bus.on(Slow, (_event, { signal }) => {
    kept = signal;
  });
  await bus.dispatch(new Slow());
  await bus.stop();
  expect(kept?.aborted).toBe(false);
});

test('timeout - waiting for a result whose handler timed out throws its error', async () => {
  await using bus = new EventBus({ name: 'Waited' });
  bus.on(Slow, function hang() {
    return gate().opened;
  });
  const dispatch = bus.dispatch(new Slow());
  await ticks();
  const [result] = dispatch.event.event_results.values();
  expect((await rejection(result as PromiseLike<unknown>)).message).toMatch(/Waited\.hang.*timed out after 0\.02s/);
});
