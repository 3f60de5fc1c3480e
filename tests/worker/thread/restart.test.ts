import { BaseEvent, type EventBus } from '@threadbus/core';
import { isLinkError, isWorkerCrashedError, type WorkerBus } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { Double, Havoc, Step } from '../../fixtures/worker/events.ts';
import { rejection } from '../../helpers/gate.ts';
import { hosted, hostId } from '../../helpers/isolation.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { thrown } from '../../helpers/thrown.ts';
import { startBus } from '../../helpers/worker-bus.ts';

const crash = (): Havoc => new Havoc({ what: 'process.exit' });

test('restart - the replacement keeps name, id, handler ids and the registrations of this side', async () => {
  const bus = await startBus('havoc-bus');
  const { id, name } = bus;
  const hostBefore = hostId(bus);
  const other = quietBus();
  const seen: number[] = [];
  bus.on(Double, ({ n }) => void seen.push(n));
  bus.on('*', other.dispatch);
  const dropped = bus.on(Double, () => void seen.push(-1));
  const before = await bus.dispatch(new Double({ n: 1 }));
  const expected = bus.expect(Double, { include: ({ n }) => n === 2, timeout: 15 });
  dropped();
  await bus.dispatch(crash());
  const after = await bus.dispatch(new Double({ n: 2 }));
  expect([bus.id, bus.name]).toEqual([id, name]);
  expect(hostId(bus)).not.toBe(hostBefore);
  expect((await expected).event_id).toBe(after.event_id);
  expect(seen).toEqual([1, -1, 2]);
  expect(after.event_path).toEqual(['Havoc', other.name]);
  const ids = (event: Double): string[] => [...event.event_results.values()].map(({ handler_id }) => handler_id);
  expect(ids(before)).toEqual(expect.arrayContaining(ids(after)));
});

test('restart - events dispatched while the thread is replaced wait for the replacement', async () => {
  const bus = await startBus('havoc-bus');
  await bus.dispatch(crash());
  expect(bus.threadId).toBe(-1);
  const waiting = bus.dispatch(new Double({ n: 4 })).eventResult();
  const idle = bus.waitUntilIdle({ timeout: 15 });
  const tree = bus.logTree();
  expect(await waiting).toBe(8);
  expect(await idle).toBe(true);
  expect(await tree).toBeTypeOf('string');
});

test("restart - 'never' puts the bus out of service at the first crash, which everybody is told", async () => {
  const bus = await startBus('havoc-bus', { restart: 'never' });
  expect(bus.failure).toBeNull();
  const events = [bus.dispatch(crash()), bus.dispatch(new Double({ n: 1 }))];
  const expected = rejection(bus.expect(Double));
  for (const event of events) expect(isWorkerCrashedError(await rejection(event.eventResult()))).toBe(true);
  expect(isWorkerCrashedError(await expected)).toBe(true);
  const refused = thrown(() => bus.dispatch(new Double({ n: 1 })));
  expect(refused).toBe(bus.failure);
  expect(refused.message).toBe(
    hosted(
      "The thread of Havoc is out of service, because it isn't restarted (restart: 'never'). Last: The thread of Havoc exited with code 3",
    ),
  );
  expect(isWorkerCrashedError(await rejection(bus.waitUntilIdle()))).toBe(true);
  expect(isWorkerCrashedError(await rejection(bus.logTree()))).toBe(true);
  expect(isWorkerCrashedError(await rejection(bus.waitForCapacity()))).toBe(true);
  await bus.stop();
});

test('restart - a bus that crashes too often is put out of service and says why', async () => {
  const bus = await startBus('havoc-bus');
  let crashes = 0;
  for (; bus.failure === null && crashes < 20; crashes += 1) await bus.dispatch(crash());
  expect(crashes).toBe(6);
  expect(bus.failure?.message).toMatch(
    /^The (?:thread|process) of Havoc is out of service, because it was restarted 5 times within 30 s/,
  );
  expect(() => bus.dispatch(new Double({ n: 1 }))).toThrow(/out of service/);
});

test('restart - a replacement that fails to start counts against the budget too', async () => {
  const begun = sharedCounter();
  const bus = await startBus('start-once-bus', { workerData: { begun: begun.buffer } });
  const error = await rejection(bus.dispatch(crash()).eventResult());
  expect(isWorkerCrashedError(error)).toBe(true);
  const waiting = await rejection(bus.dispatch(new Double({ n: 1 })).eventResult());
  expect(waiting.message).toMatch(/out of service.*failed to load: Error: only once/);
  expect(begun.value).toBe(6);
});

test('restart - what the lost thread had sent before its end counts, what it says later does not', async () => {
  const begun = sharedCounter();
  const parent = quietBus();
  const bus = await startBus('havoc-bus', { parent, workerData: { begun: begun.buffer } });
  const done = bus.dispatch(new Step({ what: 'order' }));
  const crashed = bus.dispatch(crash());
  // This thread reads nothing before the other one is gone.
  const stuck = bus.dispatch(new Step({ what: 'order' }));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect(await done.eventResult()).toBe(2);
  expect(isWorkerCrashedError(await rejection(crashed.eventResult()))).toBe(true);
  expect(await stuck.eventResult()).toBe(4);
});

test('restart - a crash is logged with what it costs', async () => {
  const logger = logRecorder();
  const parent = quietBus({ logger });
  const bus = await startBus('havoc-bus', { parent });
  await bus.dispatch(crash());
  expect(logger.errors).toContain(
    hosted(
      'The thread of Havoc exited with code 3: 1 event under way failed with it, 0 go to its replacement, 0 that were dispatched there ended.',
    ),
  );
});

test('restart - a bus whose entry dispatches on its own starts again like any other', async () => {
  const bus = await startBus('parent-bus');
  await bus.dispatch(new BaseEvent({}, { event_type: 'AskParentThenExit' }));
  expect(await bus.dispatch(new BaseEvent({}, { event_type: 'ParentName' })).eventResult()).toMatch(/^Parent/);
});

/** The bus of a thread that has handlers on its parent, and what asks them. */
async function guestBus(): Promise<{ bus: WorkerBus; parent: EventBus; ask: (type: string) => Promise<BaseEvent> }> {
  const parent = quietBus();
  const workerData = { starts: sharedCounter().buffer };
  const bus = await startBus('guest-bus', { parent, workerData });
  const ask = async (event_type: string): Promise<BaseEvent> => parent.dispatch(new BaseEvent({}, { event_type }));
  return { bus, parent, ask };
}

const resultsOf = ({ event_results }: BaseEvent): unknown[] =>
  [...event_results.values()].map(({ result, error }) => result ?? error).filter((it) => !(it instanceof BaseEvent));
const handlersOf = ({ event_results }: BaseEvent): string[] => [...event_results.keys()];

test("restart - events for the thread's handlers on its parent wait for the replacement, and find the right ones", async () => {
  const { bus, ask } = await guestBus();
  const before = await Promise.all(['A', 'B', 'Forwarded'].map(ask));
  expect(before.map(resultsOf)).toEqual([['A in start 1'], ['B in start 1'], ['forwarded in start 1']]);
  await bus.dispatch(new BaseEvent({}, { event_type: 'Exit' }));
  expect(bus.threadId).toBe(-1);
  const meanwhile = await Promise.all(['A', 'B', 'Forwarded'].map(ask));
  expect(meanwhile.map(resultsOf)).toEqual([['A in start 2'], ['B in start 2'], ['forwarded in start 2']]);
  expect(meanwhile.map(handlersOf)).toEqual(before.map(handlersOf));
  const after = await Promise.all(['A', 'B', 'Forwarded'].map(ask));
  expect(after.map(resultsOf)).toEqual(meanwhile.map(resultsOf));
});

test('restart - a forward that both sides have registered brings an event once', async () => {
  const { bus, parent, ask } = await guestBus();
  parent.on('Forwarded', bus.dispatch);
  const event = await ask('Forwarded');
  expect(resultsOf(event)).toEqual(['forwarded in start 1']);
  expect(event.event_path).toEqual([parent.name, 'Guest']);
});

test('restart - an event that a handler on the parent had not started goes to the replacement too', async () => {
  const { bus, ask } = await guestBus();
  // Behind the Exit on the port, so the thread is gone before it reads them.
  const exit = bus.dispatch(new BaseEvent({}, { event_type: 'Exit' }));
  const sent = ['B', 'A', 'Forwarded'].map(ask);
  await exit;
  expect((await Promise.all(sent)).map(resultsOf)).toEqual([
    ['B in start 2'],
    ['A in start 2'],
    ['forwarded in start 2'],
  ]);
});

test('restart - a handler that the replacement does not register on its parent again is gone, and what waits is told', async () => {
  const { bus, ask } = await guestBus();
  expect(resultsOf(await ask('First'))).toEqual(['First in start 1']);
  await bus.dispatch(new BaseEvent({}, { event_type: 'Exit' }));
  const [error] = resultsOf(await ask('First')) as [Error];
  expect(isLinkError(error)).toBe(true);
  expect(error.message).toContain("its replacement has not registered 'anonymous' for 'First' on");
  expect(resultsOf(await ask('First'))).toEqual([]);
});

test('restart - a handler on the parent that runs once runs once for each thread', async () => {
  const { bus, ask } = await guestBus();
  await bus.dispatch(new BaseEvent({}, { event_type: 'Exit' }));
  // Nobody is there for it: the first thread's went with it.
  expect(resultsOf(await ask('Once'))).toEqual([]);
  expect(resultsOf(await ask('A'))).toEqual(['A in start 2']);
  expect(resultsOf(await ask('Once'))).toEqual(['once in start 2']);
  expect(resultsOf(await ask('Once'))).toEqual([]);
});

test("restart - a bus that is stopped takes its thread's handlers off the parent", async () => {
  const { bus, ask } = await guestBus();
  await bus.stop();
  expect(resultsOf(await ask('A'))).toEqual([]);
  expect(resultsOf(await ask('Forwarded'))).toEqual([]);
});
