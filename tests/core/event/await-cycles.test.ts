import { AwaitCycleError, BaseEvent, type EventBus, isAwaitCycleError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, nextTurn } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Parent = BaseEvent.extend('Parent', {}, { timeout: null });
const Child = BaseEvent.extend('Child', {}, { timeout: null });
const Grandchild = BaseEvent.extend('Grandchild', {}, { timeout: null });
const Other = BaseEvent.extend('Other', {}, { timeout: null });

/** What the only handler of the event threw. */
async function failureOf(bus: EventBus, event: BaseEvent): Promise<Error> {
  await bus.dispatch(event);
  const [result] = event.event_results.values();
  return result?.error as Error;
}

const ownForms: Record<string, (event: BaseEvent, bus: EventBus) => unknown> = {
  'eventCompleted()': (event) => event.eventCompleted(),
  'a result helper': (event) => event.eventResultsList(),
  'its Dispatch': (event, bus) => bus.dispatch(event),
  'its Dispatch, returned by an async function': async (event, bus) => bus.dispatch(event),
  'a result helper of its Dispatch': (event, bus) => bus.dispatch(event).eventResult(),
  'its own EventResult': (event) => [...event.event_results.values()][0],
  'the Dispatch of a forward to another bus': async (event) => {
    await quietBus().dispatch(event);
  },
};

for (const [form, wait] of Object.entries(ownForms)) {
  test(`await cycle - a handler awaits its own event: ${form}`, async () => {
    const bus = quietBus();
    bus.on(Parent, async (event) => {
      await wait(event, bus);
      return null;
    });
    const error = await failureOf(bus, new Parent({}));
    expect(error).toBeInstanceOf(AwaitCycleError);
    expect(isAwaitCycleError(error)).toBe(true);
    expect(error.message).toMatch(/awaits its own event.*register the other bus's dispatch .*return the Dispatch/);
  });
}

test('await cycle - a handler that returns the Dispatch of its own event is a forward', async () => {
  const bus = quietBus();
  const next = quietBus();
  next.on(Parent, () => 'next');
  bus.on(Parent, (event) => next.dispatch(event));
  const event = new Parent({});
  expect(await bus.dispatch(event).eventResult()).toBe('next');
  expect([...event.event_results.values()].map(({ result }) => result)).toEqual([event, 'next']);
});

test('await cycle - a child awaits its parent, however the parent waits for the child', async () => {
  for (const awaited of [true, false]) {
    const bus = quietBus();
    const other = quietBus();
    const parent = new Parent({});
    other.on(Child, () => parent.eventCompleted());
    const child = new Child({});
    bus.on(Parent, async () => {
      const dispatch = other.dispatch(child);
      if (awaited) await dispatch;
    });
    await bus.dispatch(parent);
    const [result] = child.event_results.values();
    expect(result?.error).toBeInstanceOf(AwaitCycleError);
    expect(String(result?.error)).toMatch(/awaits Parent#.*Await an event that doesn't depend on Child/);
  }
});

test('await cycle - a grandchild awaits the event at the root, after every handler in between has returned', async () => {
  const bus = quietBus();
  const root = new Parent({});
  const grandchild = new Grandchild({});
  bus.on(Parent, () => void bus.dispatch(new Child({})));
  bus.on(Child, () => void bus.dispatch(grandchild));
  bus.on(Grandchild, () => root.eventResult());
  await bus.dispatch(root);
  const [result] = grandchild.event_results.values();
  expect(result?.error).toBeInstanceOf(AwaitCycleError);
});

test('await cycle - two buses await each other', async () => {
  const left = quietBus();
  const right = quietBus();
  const first = new Parent({});
  const second = new Other({});
  left.on(Parent, () => second.eventCompleted());
  right.on(Other, async () => {
    await nextTurn();
    await first.eventCompleted();
  });
  await Promise.all([left.dispatch(first), right.dispatch(second)]);
  const errors = [first, second].map((event) => [...event.event_results.values()][0]?.error ?? null);
  expect(errors[0]).toBeNull();
  expect(errors[1]).toBeInstanceOf(AwaitCycleError);
});

test("await cycle - through a third handler: one awaits the other's child, which awaits the first", async () => {
  const buses = [quietBus(), quietBus(), quietBus()];
  const first = new Parent({});
  const second = new Other({});
  const child = new Child({});
  const dispatched = gate();
  buses[0]?.on(Parent, async () => {
    await dispatched.opened;
    await second.eventCompleted();
  });
  buses[1]?.on(Other, () => {
    buses[2]?.dispatch(child);
    dispatched.open();
  });
  buses[2]?.on(Child, async () => {
    await nextTurn();
    await first.eventCompleted();
  });
  await Promise.all([buses[0]?.dispatch(first), buses[1]?.dispatch(second)]);
  const [result] = child.event_results.values();
  expect(result?.error).toBeInstanceOf(AwaitCycleError);
});

test('await cycle - through a custom forward: a copy on another bus awaits what awaits the event', async () => {
  const bus = quietBus();
  const copies = quietBus();
  const asking = quietBus();
  const event = new Child({});
  const asker = new Parent({});
  bus.on(Child, async (forwarded) => {
    await nextTurn();
    copies.dispatch(forwarded);
  });
  let failure: unknown = null;
  copies.on(Child, () => asker.eventCompleted().catch((error: unknown) => void (failure = error)));
  asking.on(Parent, () => bus.dispatch(event).eventResult({ raiseIfNone: false }));
  await asking.dispatch(asker);
  expect(failure).toBeInstanceOf(AwaitCycleError);
});

test('await cycle - in Promise.all only the await that closes the circle fails', async () => {
  const bus = quietBus();
  bus.on(Child, () => 'child');
  bus.on(Parent, async (event) => {
    const outcomes = await Promise.allSettled([bus.dispatch(new Child({})).eventResult(), event.eventCompleted()]);
    return outcomes.map(({ status }) => status);
  });
  expect(await bus.dispatch(new Parent({})).eventResult()).toEqual(['fulfilled', 'rejected']);
});

test('await cycle - none: an ancestor that has completed, a sibling, and a detached event', async () => {
  const bus = quietBus();
  const other = quietBus();
  const sibling = new Other({});
  bus.on(Other, () => nextTurn());
  other.on(Child, () => sibling.eventCompleted().then(() => 'child'));
  bus.on(Grandchild, () => 'detached');
  bus.on(Parent, async () => {
    bus.dispatch(sibling);
    const child = await other.dispatch(new Child({})).eventResult();
    const detached = await bus.dispatch(new Grandchild({}), { detached: true }).eventResult();
    return [child, detached];
  });
  expect(await bus.dispatch(new Parent({})).eventResult()).toEqual(['child', 'detached']);
});

test('await cycle - a detached event may await the event whose handler dispatched it, unless that awaits it', async () => {
  const bus = quietBus();
  const other = quietBus();
  const parent = new Parent({});
  const detached = new Other({});
  other.on(Other, () => parent.eventCompleted().then(() => 'after the parent'));
  bus.on(Parent, () => void other.dispatch(detached, { detached: true }));
  await bus.dispatch(parent);
  expect(await detached.eventResult()).toBe('after the parent');
});

test('waitUntilIdle() - of a bus that waits for the handler is an await cycle, of another bus an await', async () => {
  const bus = quietBus();
  const other = quietBus();
  bus.on(Grandchild, () => 'needed by the other bus');
  other.on(Other, () => bus.dispatch(new Grandchild({})).eventResult());
  other.on(Child, () => bus.waitUntilIdle().then(() => null));
  bus.on(Parent, async () => {
    other.dispatch(new Other({}), { detached: true });
    const idle = await other.waitUntilIdle();
    const failure = await failureOf(other, new Child({}));
    const own = await bus.waitUntilIdle().catch((error: unknown) => error);
    return [idle, failure, own];
  });
  const [idle, ...failures] = (await bus.dispatch(new Parent({})).eventResult()) as unknown[];
  expect(idle).toBe(true);
  expect(failures.map(isAwaitCycleError)).toEqual([true, true]);
});
