import { BaseEvent, type Dispatch } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { trace } from '../../helpers/trace.ts';

const Parent = BaseEvent.extend('Parent', {});
const Child = BaseEvent.extend('Child', {});
const Other = BaseEvent.extend('Other', {});
const First = BaseEvent.extend('First', {});
const Second = BaseEvent.extend('Second', {});

const forms = {
  'dispatches, the later one first': (first: Dispatch<BaseEvent>, second: Dispatch<BaseEvent>) => [second, first],
  'a result helper, then a dispatch': (first: Dispatch<BaseEvent>, second: Dispatch<BaseEvent>) => [
    second.eventResult({ raiseIfNone: false }),
    first,
  ],
  'in nested functions': (first: Dispatch<BaseEvent>, second: Dispatch<BaseEvent>) => [
    second.event.eventCompleted(),
    (async () => (await first).event_type)(),
  ],
};

for (const [form, together] of Object.entries(forms)) {
  test(`rule 4, together - on one serial bus they start in the order of dispatch: ${form}`, async () => {
    const bus = quietBus();
    const order: string[] = [];
    trace(bus, order, 'First');
    trace(bus, order, 'Second');
    bus.on(Parent, async () => {
      await Promise.all(together(bus.dispatch(new First({})), bus.dispatch(new Second({}))));
    });
    await bus.dispatch(new Parent({}));
    expect(order.join(', ')).toBe('First begins, First ends, Second begins, Second ends');
  });

  test(`rule 4, together - the same when another bus awaits them: ${form}`, async () => {
    const bus = quietBus();
    const asking = quietBus();
    const order: string[] = [];
    trace(bus, order, 'First');
    trace(bus, order, 'Second');
    asking.on(Parent, async () => {
      await Promise.all(together(bus.dispatch(new First({})), bus.dispatch(new Second({}))));
    });
    bus.dispatch(new Other({}));
    await asking.dispatch(new Parent({}));
    expect(order.join(', ')).toBe('First begins, First ends, Second begins, Second ends');
  });
}

test('rule 4, together - on different buses they run side by side', async () => {
  const bus = quietBus();
  const others = [quietBus(), quietBus()];
  const both = gate();
  let running = 0;
  for (const other of others) {
    other.on(Child, async () => {
      running += 1;
      if (running === 2) both.open();
      await both.opened;
    });
  }
  bus.on(Parent, () => Promise.all(others.map((other) => other.dispatch(new Child({})))).then(() => null));
  await bus.dispatch(new Parent({}));
  expect(running).toBe(2);
});

test('rule 4, together - with parallelHandlers they start at once, beside running handlers', async () => {
  const bus = quietBus({ parallelHandlers: true });
  const both = gate();
  let running = 0;
  bus.on(Child, async () => {
    running += 1;
    if (running === 2) both.open();
    await both.opened;
  });
  const beside = gate();
  bus.on(Parent, () => beside.opened);
  bus.on(Parent, async () => {
    await Promise.all([bus.dispatch(new Child({})), bus.dispatch(new Child({}))]);
    beside.open();
  });
  await bus.dispatch(new Parent({}));
  expect(running).toBe(2);
});

test('rule 4, together - with parallelHandlers un-awaited events stay in order', async () => {
  const bus = quietBus({ parallelHandlers: true });
  const order: string[] = [];
  trace(bus, order, 'First');
  trace(bus, order, 'Second');
  bus.dispatch(new First({}));
  bus.dispatch(new Second({}));
  await bus.waitUntilIdle();
  expect(order.join(', ')).toBe('First begins, First ends, Second begins, Second ends');
});
