import { AsyncLocalStorage } from 'node:async_hooks';
import {
  BaseEvent,
  BusStoppedError,
  HandlerAbortedError,
  HandlerCancelledError,
  HandlerTimeoutError,
} from '@threadbus/core';
import { describe, expect, test } from 'vitest';
import { gate, nextTurn } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Root = BaseEvent.extend('Root', {});
const Child = BaseEvent.extend('Child', {});
const Grandchild = BaseEvent.extend('Grandchild', {});
const Other = BaseEvent.extend('Other', {});
const brief = { event_timeout: 0.03 };
const long = { event_timeout: 20 };

/** Errors of the event's handlers by handler name, null for those that succeeded. */
function errorsOf(event: BaseEvent): Record<string, unknown> {
  return Object.fromEntries([...event.event_results.values()].map((result) => [result.handler_name, result.error]));
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** Root awaits Child awaits Grandchild, whose handlers are A slow, B instant, C slow, D and E behind it. */
async function nested(): Promise<{ root: BaseEvent; child: BaseEvent; grandchild: BaseEvent; ran: string[] }> {
  const bus = quietBus();
  const never = gate();
  const ran: string[] = [];
  const root = new Root({}, long);
  const child = new Child({}, { event_timeout: 0.12 });
  const grandchild = new Grandchild({}, { event_timeout: 0.08 });
  bus.on(Root, async function onRoot() {
    await bus.dispatch(child);
    return 'root goes on';
  });
  bus.on(Child, async function onChild() {
    await bus.dispatch(grandchild);
  });
  bus.on(Grandchild, async function a() {
    ran.push('a');
    await never.opened;
  });
  bus.on(Grandchild, function b() {
    ran.push('b');
    return 'b';
  });
  bus.on(Grandchild, async function c() {
    ran.push('c');
    await never.opened;
  });
  bus.on(Grandchild, function d() {
    ran.push('d');
  });
  bus.on(Grandchild, function e() {
    ran.push('e');
  });
  await bus.dispatch(root);
  await bus.waitUntilIdle();
  return { root, child, grandchild, ran };
}

describe('timeout', () => {
  test('of a handler ends the children that it awaits, recursively, and nobody else', async () => {
    const { root, child, grandchild, ran } = await nested();
    expect(ran).toEqual(['a', 'b', 'c']);
    const { a, b, c, d, e } = errorsOf(grandchild);
    const timeout = errorsOf(child)['onChild'] as Error;
    expect(a).toBeInstanceOf(HandlerTimeoutError);
    expect(b).toBeNull();
    expect(timeout).toBeInstanceOf(HandlerTimeoutError);
    expect(timeout.message).toMatch(
      /\.onChild\(Child#.*timed out after 0.12s and interrupted any processing of 1 child events/,
    );
    expect(c).toBeInstanceOf(HandlerAbortedError);
    expect((c as Error).message).toMatch(/was interrupted because of a parent timeout/);
    expect((c as Error).cause).toBe(timeout);
    for (const error of [d, e]) {
      expect(error).toBeInstanceOf(HandlerCancelledError);
      expect((error as Error).message).toMatch(/^Cancelled pending handler as a result of parent error/);
      expect((error as Error).cause).toBe(timeout);
    }
    expect(errorsOf(root)).toEqual({ onRoot: null });
    expect(await root.eventResult()).toBe('root goes on');
    expect([root, child, grandchild].map(({ event_status }) => event_status)).toEqual(Array(3).fill('completed'));
  });

  test('leaves a child alone that was dispatched without an await', async () => {
    const bus = quietBus();
    let ran = 0;
    bus.on(Child, () => {
      ran += 1;
    });
    const never = gate();
    bus.on(Root, async () => {
      bus.dispatch(new Child({}));
      await never.opened;
    });
    const root = await bus.dispatch(new Root({}, brief));
    expect(ran).toBe(1);
    expect(root.event_children[0]?.event_status).toBe('completed');
    expect(Date.parse(root.event_completed_at ?? '')).toBeGreaterThanOrEqual(
      Date.parse(root.event_children[0]?.event_completed_at ?? ''),
    );
  });

  test('leaves a child alone that a live handler or somebody outside awaits too', async () => {
    for (const who of ['handler', 'outside'] as const) {
      const bus = quietBus();
      const other = quietBus();
      const asking = quietBus();
      const work = gate();
      const child = new Child({}, long);
      const waits: unknown[] = [];
      other.on(Child, () => work.opened.then(() => 'done'));
      asking.on(Other, () => child.eventResult());
      bus.on(Root, async () => {
        const dispatch = other.dispatch(child);
        waits.push(who === 'outside' ? void 0 : asking.dispatch(new Other({}, long), { detached: true }));
        await dispatch;
      });
      const root = bus.dispatch(new Root({}, brief));
      await nextTurn();
      const outside = who === 'outside' ? child.eventResult() : null;
      while (errorsOf(root.event)['anonymous'] === null) await after(5);
      expect(errorsOf(root.event)['anonymous']).toBeInstanceOf(HandlerTimeoutError);
      expect(child.event_status).toBe('started');
      work.open();
      await root;
      expect(await (outside ?? child.eventResult())).toBe('done');
      expect(waits).toHaveLength(1);
    }
  });

  test('leaves alone what the handler awaits but did not dispatch', async () => {
    const bus = quietBus();
    const other = quietBus();
    const work = gate();
    other.on(Other, () => work.opened.then(() => 'done'));
    const foreign = other.dispatch(new Other({}, long));
    bus.on(Root, () => foreign.event.eventCompleted().then(() => null));
    const root = await bus.dispatch(new Root({}, brief));
    expect(errorsOf(root)['anonymous']).toBeInstanceOf(HandlerTimeoutError);
    work.open();
    expect(await foreign.eventResult()).toBe('done');
  });

  test('cancels copies of the awaited child on every bus', async () => {
    const bus = quietBus();
    const copies = quietBus();
    const never = gate();
    bus.on(Child, copies.dispatch);
    copies.on(Child, function copy() {
      return never.opened;
    });
    const child = new Child({}, long);
    bus.on(Root, () => bus.dispatch(child).eventResult());
    await bus.dispatch(new Root({}, brief));
    expect(errorsOf(child)['copy']).toBeInstanceOf(HandlerAbortedError);
    expect(child.event_status).toBe('completed');
  });

  test('cancels a child that waits in a queue: no handler of it runs, and one that runs once stays', async () => {
    const bus = quietBus();
    const other = quietBus();
    const work = gate();
    const ran: string[] = [];
    other.on(Other, () => work.opened);
    other.on(
      Child,
      function once({ event_id }) {
        ran.push(event_id);
      },
      { once: true },
    );
    other.dispatch(new Other({}, long));
    const child = new Child({});
    bus.on(Root, () => other.dispatch(child).eventResult());
    await bus.dispatch(new Root({}, brief));
    expect(errorsOf(child)['once']).toBeInstanceOf(HandlerCancelledError);
    work.open();
    const next = await other.dispatch(new Child({}));
    expect(ran).toEqual([next.event_id]);
  });

  test('a late return, throw or dispatch of the handler changes nothing', async () => {
    const bus = quietBus();
    const late = gate();
    const ended = gate();
    const lateChild = new Child({});
    bus.on(Root, async () => {
      await late.opened;
      bus.dispatch(lateChild);
      ended.open();
      throw new Error('late');
    });
    const root = await bus.dispatch(new Root({}, brief));
    const completedAt = root.event_completed_at;
    late.open();
    await ended.opened;
    await lateChild.eventCompleted();
    expect(errorsOf(root)['anonymous']).toBeInstanceOf(HandlerTimeoutError);
    expect([root.event_status, root.event_completed_at, root.event_children]).toEqual(['completed', completedAt, []]);
    expect(lateChild.event_parent_id).toBe(root.event_id);
  });

  test('aborts the signal, whose listeners run in the context of their handler', async () => {
    const bus = quietBus();
    const other = quietBus();
    const user = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const cleanup = new Other({});
    const never = gate();
    bus.on(Child, (event, { signal }) => {
      signal.addEventListener('abort', () => {
        seen.push(user.getStore(), event.event_bus.id === bus.id, signal.reason);
        bus.dispatch(cleanup);
      });
      return never.opened;
    });
    other.on(Root, () => bus.dispatch(new Child({}, long)).eventResult());
    const root = user.run('alice', () => other.dispatch(new Root({}, brief)));
    user.run('bob', () => other.dispatch(new Other({})));
    await root;
    const [child] = root.event.event_children;
    expect(seen).toEqual(['alice', true, errorsOf(child as BaseEvent)['anonymous']]);
    await cleanup.eventCompleted();
    expect(cleanup.event_parent_id).toBe(child?.event_id);
  });
});

describe('stop()', () => {
  test('inside a handler: that handler is aborted last, everything completes, nothing hangs', async () => {
    const bus = quietBus();
    const never = gate();
    const order: string[] = [];
    const [root, child, queued] = [new Root({}), new Child({}), new Other({})];
    bus.observe({ handlerEnded: (event) => void order.push(event.event_type) });
    bus.on(Other, () => never.opened);
    bus.on(Child, async function onChild(_, { signal }) {
      await bus.stop();
      return signal.aborted;
    });
    bus.on(Root, async function onRoot() {
      bus.dispatch(queued);
      await bus.dispatch(child);
    });
    await bus.dispatch(root);
    expect(order).toEqual(['Other', 'Root', 'Child']);
    expect(errorsOf(root)['onRoot']).toBeInstanceOf(HandlerAbortedError);
    expect(errorsOf(child)['onChild']).toBeInstanceOf(HandlerAbortedError);
    expect(errorsOf(queued)['anonymous']).toBeInstanceOf(HandlerCancelledError);
    expect((errorsOf(root)['onRoot'] as Error).message).toMatch(/was interrupted because of a stop/);
    expect((errorsOf(root)['onRoot'] as Error).cause).toBeInstanceOf(BusStoppedError);
    expect(() => bus.dispatch(new Root({}))).toThrow(BusStoppedError);
  });

  test('with a timeout inside a handler: waits for everything but the handler itself, which counts as suspended', async () => {
    const bus = quietBus();
    const ran: string[] = [];
    bus.on(Child, async () => {
      await nextTurn();
      ran.push('Child');
    });
    bus.on(Other, () => void ran.push('Other'));
    bus.on(Root, async () => {
      bus.dispatch(new Child({}));
      await bus.stop({ timeout: 20 });
      ran.push('stopped');
    });
    const root = bus.dispatch(new Root({}));
    bus.dispatch(new Other({}));
    await root;
    await nextTurn();
    expect(ran).toEqual(['Other', 'Child', 'stopped']);
    expect(errorsOf(root.event)['anonymous']).toBeInstanceOf(HandlerAbortedError);
  });

  test('with a timeout inside a handler of another bus, which that bus needs', async () => {
    const bus = quietBus();
    const stopping = quietBus();
    const answers: unknown[] = [];
    bus.on(Grandchild, () => 'answer');
    stopping.on(Child, async () => void answers.push(await bus.dispatch(new Grandchild({})).eventResult()));
    bus.on(Root, async () => {
      stopping.dispatch(new Child({}), { detached: true });
      await stopping.stop({ timeout: 20 });
      return 'stopped';
    });
    expect(await bus.dispatch(new Root({})).eventResult()).toBe('stopped');
    expect(answers).toEqual(['answer']);
  });

  test('of one bus leaves an event alone on the others', async () => {
    const bus = quietBus();
    const other = quietBus();
    const work = gate();
    bus.on(Root, other.dispatch);
    bus.on(Root, function here() {
      return work.opened;
    });
    other.on(Root, function there() {
      return work.opened.then(() => 'there');
    });
    const root = bus.dispatch(new Root({}));
    await nextTurn();
    await bus.stop();
    expect(root.event.event_status).toBe('started');
    work.open();
    await root;
    expect(errorsOf(root.event)['here']).toBeInstanceOf(HandlerAbortedError);
    expect(errorsOf(root.event)['there']).toBeNull();
  });

  test('twice at once, and waits that end with it', async () => {
    const bus = quietBus();
    const never = gate();
    bus.on(Root, () => never.opened);
    const root = bus.dispatch(new Root({}));
    const idle = bus.waitUntilIdle();
    const expected = bus.expect(Other).catch((error: unknown) => error);
    await Promise.all([bus.stop({ timeout: 20 }), bus.stop()]);
    expect(await idle).toBe(true);
    expect(await expected).toBeInstanceOf(BusStoppedError);
    expect((await root).event_status).toBe('completed');
    await bus.stop();
  });

  test('a forward to a stopped bus is an error of the forward alone', async () => {
    const bus = quietBus();
    const stopped = quietBus();
    bus.on(Root, stopped.dispatch);
    bus.on(Root, function here() {
      return 'here';
    });
    await stopped.stop();
    const root = await bus.dispatch(new Root({}));
    expect(await root.eventResult({ raiseIfAny: false })).toBe('here');
    expect(errorsOf(root)[`${stopped.name}.dispatch`]).toBeInstanceOf(BusStoppedError);
  });
});
