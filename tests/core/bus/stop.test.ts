import {
  BaseEvent,
  EventBus,
  isBusStoppedError,
  isHandlerAbortedError,
  isHandlerCancelledError,
} from '@threadbus/core';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { gate, rejection, stateOf, ticks } from '../../helpers/gate.ts';
import { thrown } from '../../helpers/thrown.ts';

const Ping = BaseEvent.extend('Ping', {});
const Step = BaseEvent.extend('Step', { n: z.number() });

test('stop - running handlers are aborted, queued ones cancelled, and every event completes', async () => {
  const bus = new EventBus({ name: 'Halted' });
  let signal: AbortSignal | undefined;
  bus.on(Step, async function run(_event, context) {
    ({ signal } = context);
    await gate().opened;
  });
  bus.on(Step, () => 'never');
  const dispatches = [1, 2].map((n) => bus.dispatch(new Step({ n })));
  await ticks();
  await bus.stop();
  const [first, second] = await Promise.all(dispatches);
  const errors = (event: BaseEvent | undefined): unknown[] =>
    [...(event?.event_results.values() ?? [])].map(({ error }) => error);
  const [aborted, cancelled] = errors(first);
  expect(isHandlerAbortedError(aborted)).toBe(true);
  expect((aborted as Error).message).toBe(
    'Halted.run(Step) was interrupted because of a stop: Halted was stopped. Dispatch before stop(), or make a new EventBus.',
  );
  expect(isBusStoppedError((aborted as Error).cause)).toBe(true);
  expect([cancelled, ...errors(second)].every(isHandlerCancelledError)).toBe(true);
  expect(signal?.reason).toBe(aborted);
  expect([first?.event_status, second?.event_status]).toEqual(['completed', 'completed']);
});

test('stop - is idempotent, also side by side', async () => {
  const bus = new EventBus();
  await Promise.all([bus.stop(), bus.stop(), bus.stop({ timeout: 5 })]);
  await bus.stop({ clear: true });
  expect(String(bus)).toContain('🔴');
});

test('stop - with a timeout it first waits for what is under way', async () => {
  const bus = new EventBus();
  const door = gate();
  const ran: number[] = [];
  bus.on(Step, async ({ n }) => {
    await door.opened;
    ran.push(n);
  });
  for (const n of [1, 2, 3]) bus.dispatch(new Step({ n }));
  const stopped = bus.stop({ timeout: 30 });
  expect(await stateOf(stopped)).toBe('pending');
  door.open();
  await stopped;
  expect(ran).toEqual([1, 2, 3]);
});

test('stop - with a timeout that passes it ends the rest', async () => {
  const bus = new EventBus();
  bus.on(Step, ({ n }) => (n === 3 ? gate().opened : n));
  const dispatches = [1, 2, 3].map((n) => bus.dispatch(new Step({ n })));
  await bus.stop({ timeout: 0.05 });
  const values = dispatches.map(({ event }) => [...event.event_results.values()][0]?.result);
  expect(values).toEqual([1, 2, null]);
});

test.each([undefined, null, 0])(
  'stop - timeout %j ends everything at once; Infinity waits until all is done',
  async (timeout) => {
    const bus = new EventBus();
    bus.on(Ping, () => gate().opened);
    bus.dispatch(new Ping());
    await ticks();
    await bus.stop({ timeout });
    const patient = new EventBus();
    const door = gate();
    patient.on(Ping, () => door.opened);
    const dispatch = patient.dispatch(new Ping());
    const stopped = patient.stop({ timeout: Infinity });
    expect(await stateOf(stopped)).toBe('pending');
    door.open();
    await stopped;
    expect([...dispatch.event.event_results.values()][0]?.status).toBe('completed');
  },
);

test('stop - with clear the history and the handlers are gone and the name is free', async () => {
  const bus = new EventBus({ name: 'Cleared' });
  bus.on(Ping, () => 1);
  await bus.dispatch(new Ping());
  await bus.stop({ clear: true });
  expect(bus.eventHistory.size).toBe(0);
  expect(bus.eventsCompleted).toEqual([]);
  expect(String(bus)).toContain(' 0 👂');
  expect(EventBus.allInstances.has(bus)).toBe(false);
  await using next = new EventBus({ name: 'Cleared' });
  expect(next.name).toBe('Cleared');
});

test('stop - with clear works on a bus that was never used, or was stopped before', async () => {
  const unused = new EventBus({ name: 'Unused' });
  unused.on(Ping, () => 1);
  await unused.stop({ clear: true });
  expect([String(unused).includes(' 0 👂'), EventBus.allInstances.has(unused)]).toEqual([true, false]);
  const bus = new EventBus();
  await bus.dispatch(new Ping());
  await bus.stop();
  expect(bus.eventHistory.size).toBe(1);
  await bus.stop({ clear: true });
  expect(bus.eventHistory.size).toBe(0);
});

test('stop - afterwards dispatch throws one clear error and leaves no trace', async () => {
  const bus = new EventBus({ name: 'Over' });
  await bus.stop();
  const event = new Ping();
  const error = thrown(() => bus.dispatch(event));
  expect(isBusStoppedError(error) && [error.busName, error.eventType, error.eventId]).toEqual([
    'Over',
    'Ping',
    event.event_id,
  ]);
  expect(event.event_path).toEqual([]);
});

test('stop - called inside a handler of the bus: no deadlock, the handler is aborted last', async () => {
  const bus = new EventBus();
  const order: string[] = [];
  bus.on(Ping, async () => {
    const queued = bus.dispatch(new Step({ n: 1 }));
    void queued.then(() => order.push('queued completed'));
    await bus.stop();
    order.push('after stop');
    return 'dropped';
  });
  const dispatch = bus.dispatch(new Ping());
  bus.observe({ handlerEnded: ({ event_type }) => void order.push(`${event_type} ended`) });
  bus.on(Step, () => 'never');
  const event = await dispatch;
  await vi.waitFor(() => expect(order).toContain('after stop'));
  expect(order.slice(0, 2)).toEqual(['Step ended', 'Ping ended']);
  expect([...event.event_results.values()][0]?.status).toBe('error');
});

test('stop - called inside a handler with a timeout it first runs the others', async () => {
  const bus = new EventBus();
  const ran: number[] = [];
  bus.on(Step, ({ n }) => void ran.push(n));
  bus.on(Ping, () => bus.stop({ timeout: 10 }));
  const dispatch = bus.dispatch(new Ping());
  for (const n of [1, 2]) bus.dispatch(new Step({ n }));
  await dispatch;
  expect(ran).toEqual([1, 2]);
});

test('stop - settles this bus’s part of an event that other buses have as well', async () => {
  await using a = new EventBus();
  const b = new EventBus();
  a.on(Ping, b.dispatch);
  a.on(Ping, () => 'a');
  b.on(Ping, () => gate().opened);
  const dispatch = a.dispatch(new Ping());
  expect(await stateOf(dispatch)).toBe('pending');
  await b.stop();
  expect(await dispatch.eventResult({ raiseIfAny: false })).toBe('a');
});

test('stop - a handler elsewhere that awaits an event of this bus goes on', async () => {
  await using a = new EventBus();
  const b = new EventBus();
  b.on(Step, () => gate().opened);
  a.on(Ping, async () => (await b.dispatch(new Step({ n: 1 }))).event_status);
  const dispatch = a.dispatch(new Ping());
  await ticks();
  await b.stop();
  expect(await dispatch.eventResult()).toBe('completed');
});

test('stop - of one bus leaves the others alone', async () => {
  const handle = (): string => 'shared';
  await using a = new EventBus();
  const b = new EventBus();
  for (const bus of [a, b]) bus.on(Ping, handle);
  await b.stop();
  expect(await a.dispatch(new Ping()).eventResult()).toBe('shared');
});

test('stop - runs when the block ends', async () => {
  let kept: EventBus;
  {
    await using bus = new EventBus();
    kept = bus;
    await bus.dispatch(new Ping());
  }
  expect(isBusStoppedError(thrown(() => kept.dispatch(new Ping())))).toBe(true);
});

test('stop - what dispatches while it stops is refused, and nothing hangs', async () => {
  const bus = new EventBus();
  bus.on(Step, async (_event, { signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    bus.dispatch(new Ping());
  });
  const errors: unknown[] = [];
  bus.on(Ping, () => void errors.push('ran'));
  const dispatch = bus.dispatch(new Step({ n: 1 }));
  await ticks();
  await bus.stop();
  await dispatch;
  await ticks();
  expect(errors).toEqual([]);
  expect(bus.eventsPending).toEqual([]);
});

test('stop - the observers are told once', async () => {
  const bus = new EventBus();
  let told = 0;
  bus.observe({ stopped: () => void (told += 1) });
  await bus.stop();
  await bus.stop();
  expect(told).toBe(1);
});

test.each([
  [{ timeout: -1 }, 'got -1'],
  [{ timeout: Number.NaN }, 'got NaN'],
  [{ timeout: '5' }, 'Expected timeout (seconds) to be a number or null; got the string "5".'],
  [{ clear: 'yes' }, 'Expected clear to be true or false; got the string "yes".'],
  [{ force: true }, "stop has no option 'force'. It has: timeout, clear."],
])('stop - the options %o are refused, and the bus goes on', async (options, text) => {
  await using bus = new EventBus();
  expect((await rejection(bus.stop(options as never))).message).toContain(text);
  expect((await bus.dispatch(new Ping())).event_status).toBe('completed');
});
