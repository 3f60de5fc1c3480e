import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Job = BaseEvent.extend('Job', {});
const Child = BaseEvent.extend('Child', {});

function fail(): never {
  throw new Error('of its own');
}

test('outcome - null until the event is completed, then succeeded, with no handlers too', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Job, () => door.opened);
  const dispatch = bus.dispatch(new Job());
  expect(dispatch.event.event_outcome).toBeNull();
  await ticks();
  expect([dispatch.event.event_status, dispatch.event.event_outcome]).toEqual(['started', null]);
  door.open();
  expect((await dispatch).event_outcome).toBe('succeeded');
  expect((await bus.dispatch(new Child())).event_outcome).toBe('succeeded');
  expect(new Job().event_outcome).toBeNull();
});

test('outcome - failed: one handler threw, returned an Error or took too long, whatever the others did', async () => {
  await using bus = quietBus();
  for (const handler of [fail, () => new Error('returned'), () => gate().opened]) {
    using _one = bus.on(Job, () => 'fine');
    using _other = bus.on(Job, handler);
    expect((await bus.dispatch(new Job({}, { event_timeout: 0.02 }))).event_outcome).toBe('failed');
  }
});

test('outcome - cancelled: aborted while it ran, or cancelled before; failed if another handler failed as well', async () => {
  for (const [first, outcome] of [
    [(): string => 'fine', 'cancelled'],
    [fail, 'failed'],
  ] as const) {
    const bus = quietBus();
    bus.on(Job, first);
    bus.on(Job, () => gate().opened);
    bus.on(Job, function never() {
      throw new Error('must not start');
    });
    const running = bus.dispatch(new Job());
    const queued = bus.dispatch(new Job());
    await ticks();
    await bus.stop();
    expect(running.event.event_outcome).toBe(outcome);
    expect(queued.event.event_outcome).toBe('cancelled');
  }
});

test('outcome - a handler that fails because the event that it awaited was cancelled has failed by itself', async () => {
  await using bus = quietBus();
  const child = quietBus();
  child.on(Child, () => gate().opened);
  bus.on(Job, async () => child.dispatch(new Child()).eventResult());
  const dispatch = bus.dispatch(new Job());
  await ticks();
  await child.stop();
  const event = await dispatch;
  expect(event.event_children[0]?.event_outcome).toBe('cancelled');
  expect(event.event_outcome).toBe('failed');
});

test("outcome - a child's failure is the child's own", async () => {
  await using bus = quietBus();
  bus.on(Child, fail);
  bus.on(Job, async () => void (await bus.dispatch(new Child())));
  const event = await bus.dispatch(new Job());
  expect([event.event_outcome, event.event_children[0]?.event_outcome]).toEqual(['succeeded', 'failed']);
});

test('outcome - over two buses: all their handlers count', async () => {
  await using a = quietBus();
  await using b = quietBus();
  a.on('*', b.dispatch);
  b.on(Job, fail);
  expect((await a.dispatch(new Job())).event_outcome).toBe('failed');
});

test('outcome - an event that is dispatched again has none until it is complete again', async () => {
  await using a = quietBus();
  await using b = quietBus();
  const door = gate();
  b.on(Job, async () => {
    await door.opened;
    fail();
  });
  const event = await a.dispatch(new Job());
  expect(event.event_outcome).toBe('succeeded');
  const again = b.dispatch(event);
  await ticks();
  expect(event.event_outcome).toBeNull();
  door.open();
  await again;
  expect(event.event_outcome).toBe('failed');
});
