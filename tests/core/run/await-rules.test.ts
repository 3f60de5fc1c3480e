import { BaseEvent } from '@threadbus/core';
import { describe, expect, test } from 'vitest';
import { gate, nextTurn } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { trace } from '../../helpers/trace.ts';

const Parent = BaseEvent.extend('Parent', {});
const Child = BaseEvent.extend('Child', {});
const Grandchild = BaseEvent.extend('Grandchild', {});
const Other = BaseEvent.extend('Other', {});
const First = BaseEvent.extend('First', {});
const Second = BaseEvent.extend('Second', {});

describe('rule 1, start', () => {
  test('an awaited child runs inside the handler, ahead of what was queued before', async () => {
    const bus = quietBus();
    const order: string[] = [];
    trace(bus, order, 'Child');
    trace(bus, order, 'Other');
    bus.on(Parent, async () => {
      order.push('Parent begins');
      await bus.dispatch(new Child({}));
      order.push('Parent ends');
    });
    bus.dispatch(new Parent({}));
    bus.dispatch(new Other({}));
    bus.dispatch(new Other({}));
    await bus.waitUntilIdle();
    expect(order.join(', ')).toBe(
      'Parent begins, Child begins, Child ends, Parent ends, Other begins, Other ends, Other begins, Other ends',
    );
  });

  test('an event that another bus awaits starts only when the running handler is suspended or done', async () => {
    const bus = quietBus();
    const asking = quietBus();
    const order: string[] = [];
    const work = gate();
    trace(bus, order, 'Child');
    bus.on(Other, async () => {
      await work.opened;
      order.push('Other ends');
    });
    asking.on(Parent, () => bus.dispatch(new Child({})).eventResult({ raiseIfNone: false }));
    bus.dispatch(new Other({}));
    bus.dispatch(new Other({}));
    const parent = asking.dispatch(new Parent({}));
    await nextTurn();
    expect(order).toEqual([]);
    work.open();
    await parent;
    await bus.waitUntilIdle();
    expect(order).toEqual(['Other ends', 'Child begins', 'Child ends', 'Other ends']);
  });

  test('it waits behind events that were awaited before', async () => {
    const bus = quietBus();
    const asking = [quietBus(), quietBus()];
    const order: string[] = [];
    const work = gate();
    trace(bus, order, 'First');
    trace(bus, order, 'Second');
    bus.on(Other, () => work.opened);
    bus.dispatch(new Other({}));
    const second = bus.dispatch(new Second({}));
    const first = bus.dispatch(new First({}));
    asking[0]?.on(Parent, () => first.eventResult({ raiseIfNone: false }));
    asking[1]?.on(Parent, () => second.eventResult({ raiseIfNone: false }));
    asking[0]?.dispatch(new Parent({}));
    await nextTurn();
    asking[1]?.dispatch(new Parent({}));
    await nextTurn();
    work.open();
    await bus.waitUntilIdle();
    expect(order.join(', ')).toBe('First begins, First ends, Second begins, Second ends');
  });

  test('an event that somebody else dispatched and queued is run ahead, and keeps its place in the tree', async () => {
    const bus = quietBus();
    const order: string[] = [];
    trace(bus, order, 'Child');
    trace(bus, order, 'Other');
    const queued = new Child({});
    bus.on(Parent, async () => {
      await queued.eventCompleted();
    });
    bus.dispatch(new Parent({}));
    bus.dispatch(new Other({}));
    bus.dispatch(queued);
    await bus.waitUntilIdle();
    expect(order.join(', ')).toBe('Child begins, Child ends, Other begins, Other ends');
    expect(queued.event_parent_id).toBeNull();
  });
});

describe('rule 2, resume', () => {
  test('a handler goes on only when no other handler of its bus runs', async () => {
    const bus = quietBus();
    const elsewhere = quietBus();
    const order: string[] = [];
    const answer = gate();
    const work = gate();
    elsewhere.on(Other, () => answer.opened);
    bus.on(Child, async () => {
      order.push('Child begins');
      answer.open();
      await work.opened;
      order.push('Child ends');
    });
    bus.on(Parent, async () => {
      const child = bus.dispatch(new Child({}));
      await Promise.race([elsewhere.dispatch(new Other({})), child]);
      order.push('Parent is beside a pending await');
      await child;
      order.push('Parent goes on');
    });
    const parent = bus.dispatch(new Parent({}));
    await nextTurn();
    await nextTurn();
    expect(order).toEqual(['Child begins']);
    work.open();
    await parent;
    expect(order.slice(0, 2)).toEqual(['Child begins', 'Child ends']);
    expect(order.at(-1)).toBe('Parent goes on');
  });

  test('a handler whose wait for a whole bus has timed out goes on alone', async () => {
    const bus = quietBus();
    const asking = quietBus();
    const busy = quietBus({ parallelHandlers: true });
    const order: string[] = [];
    const work = gate();
    trace(bus, order, 'Child');
    busy.on(Other, () => work.opened);
    asking.on(Parent, () => bus.dispatch(new Child({})).eventResult({ raiseIfNone: false }));
    bus.on(Parent, async () => {
      order.push(`idle: ${await busy.waitUntilIdle({ timeout: 0.01 })}`);
      asking.dispatch(new Parent({}), { detached: true });
      await nextTurn();
      order.push('Parent ends');
    });
    busy.dispatch(new Other({}));
    busy.dispatch(new Other({}));
    await bus.dispatch(new Parent({}));
    await bus.waitUntilIdle();
    expect(order).toEqual(['idle: false', 'Parent ends', 'Child begins', 'Child ends']);
    work.open();
  });

  test('two handlers whose awaits end while a third runs go on first come, first served', async () => {
    const bus = quietBus();
    const ask = [quietBus(), quietBus()];
    const order: string[] = [];
    const answers = [gate(), gate()];
    ask.forEach((other, index) => other.on(Other, () => answers[index]?.opened));
    const work = gate();
    const third = gate();
    bus.on(Grandchild, async () => {
      third.open();
      await work.opened;
    });
    bus.on(Child, async () => {
      await ask[1]?.dispatch(new Other({}));
      order.push('Child');
    });
    bus.on(Parent, async () => {
      const child = bus.dispatch(new Child({}));
      const both = Promise.all([child, ask[0]?.dispatch(new Other({}))]);
      await both;
      order.push('Parent');
    });
    const asking = quietBus();
    asking.on(Parent, () => bus.dispatch(new Grandchild({})).eventResult({ raiseIfNone: false }));
    const parent = bus.dispatch(new Parent({}));
    await nextTurn();
    asking.dispatch(new Parent({}));
    await third.opened;
    answers[0]?.open();
    answers[1]?.open();
    await nextTurn();
    expect(order).toEqual([]);
    work.open();
    await parent;
    expect(order).toEqual(['Child', 'Parent']);
  });
});

describe('rule 3, cover', () => {
  test('copies on other buses run ahead too, also those that are forwarded after the await began', async () => {
    const bus = quietBus();
    const near = quietBus();
    const far = quietBus();
    const order: string[] = [];
    const arrived = gate();
    near.on(Child, far.dispatch);
    bus.on(Child, async (event) => {
      await nextTurn();
      near.dispatch(event);
    });
    void far.expect(Child).then(() => arrived.open());
    far.on('*', async (event) => {
      await arrived.opened;
      order.push(`${event.event_type} on far`);
    });
    for (const queue of [near, far]) {
      queue.dispatch(new Other({}));
      queue.dispatch(new Other({}));
    }
    bus.on(Parent, async () => {
      await bus.dispatch(new Child({}));
    });
    await bus.dispatch(new Parent({}));
    await far.waitUntilIdle();
    expect(order).toEqual(['Other on far', 'Child on far', 'Other on far']);
  });

  test('un-awaited descendants run ahead once the handler that dispatched them has returned', async () => {
    const bus = quietBus();
    const order: string[] = [];
    trace(bus, order, 'Grandchild');
    trace(bus, order, 'Other');
    bus.on(Child, async () => {
      bus.dispatch(new Grandchild({}));
      await nextTurn();
      order.push('Child ends');
    });
    bus.on(Parent, async () => {
      await bus.dispatch(new Child({}));
      order.push('Parent ends');
    });
    bus.dispatch(new Parent({}));
    bus.dispatch(new Other({}));
    await bus.waitUntilIdle();
    expect(order.join(', ')).toBe(
      'Child ends, Grandchild begins, Grandchild ends, Parent ends, Other begins, Other ends',
    );
  });

  test('everything else keeps its place: of three children the one that is awaited runs, the others wait', async () => {
    const bus = quietBus();
    const order: string[] = [];
    bus.on('*', (event) => void (event.event_type === 'Parent' || order.push(event.event_type)));
    bus.on(Parent, async () => {
      bus.dispatch(new First({}));
      const awaited = bus.dispatch(new Child({}));
      bus.dispatch(new Second({}));
      await awaited;
      order.push('Parent ends');
    });
    bus.dispatch(new Parent({}));
    bus.dispatch(new Other({}));
    await bus.waitUntilIdle();
    expect(order).toEqual(['Child', 'Parent ends', 'Other', 'First', 'Second']);
  });

  test('other buses are left alone', async () => {
    const bus = quietBus();
    const other = quietBus();
    let ran = 0;
    const work = gate();
    other.on(Other, async () => {
      ran += 1;
      await work.opened;
    });
    bus.on(Child, () => nextTurn());
    bus.on(Parent, async () => {
      other.dispatch(new Other({}), { detached: true });
      other.dispatch(new Other({}), { detached: true });
      await bus.dispatch(new Child({}));
      expect(ran).toBe(1);
    });
    await bus.dispatch(new Parent({})).eventResult({ raiseIfNone: false });
    work.open();
    await other.waitUntilIdle();
  });

  test('the next un-awaited event starts only when no handler is in progress', async () => {
    const bus = quietBus();
    const elsewhere = quietBus();
    const answer = gate();
    let started = false;
    elsewhere.on(Child, () => answer.opened);
    bus.on(Other, () => {
      started = true;
    });
    bus.on(Parent, async () => {
      await elsewhere.dispatch(new Child({}));
      expect(started).toBe(false);
    });
    const parent = bus.dispatch(new Parent({}));
    bus.dispatch(new Other({}));
    await nextTurn();
    expect(started).toBe(false);
    answer.open();
    await parent.eventResult({ raiseIfNone: false });
    await bus.waitUntilIdle();
    expect(started).toBe(true);
  });
});

describe('rule 6, outside', () => {
  test('awaiting outside a handler never jumps', async () => {
    const bus = quietBus();
    const order: string[] = [];
    trace(bus, order, 'Other');
    trace(bus, order, 'Child');
    bus.dispatch(new Other({}));
    bus.dispatch(new Other({}));
    await bus.dispatch(new Child({}));
    expect(order.filter((line) => line.endsWith('ends'))).toEqual(['Other ends', 'Other ends', 'Child ends']);
  });

  test('awaiting in a timer that a handler left behind never jumps either', async () => {
    const bus = quietBus();
    const order: string[] = [];
    const done = gate();
    const work = gate();
    trace(bus, order, 'Child');
    bus.on(Other, async () => {
      await work.opened;
      order.push('Other ends');
    });
    bus.on(Parent, () => {
      setImmediate(() => void bus.dispatch(new Child({})).then(() => done.open()));
    });
    const parent = await bus.dispatch(new Parent({}));
    bus.dispatch(new Other({}));
    bus.dispatch(new Other({}));
    await nextTurn();
    const child = [...bus.eventHistory.values()].find(({ event_type }) => event_type === 'Child');
    expect(child?.event_parent_id).toBe(parent.event_id);
    expect(parent.event_status).toBe('completed');
    expect(parent.event_children).toEqual([]);
    work.open();
    await done.opened;
    expect(order).toEqual(['Other ends', 'Other ends', 'Child begins', 'Child ends']);
  });
});
