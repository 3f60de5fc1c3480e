import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { isHandlerTimeoutError, type HandlerTimeoutError } from '@threadbus/core';
import { isWorkerCrashedError, type WorkerCrashedError } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { stopThread } from '../../../packages/worker/dist/thread/thread-inspector.js';
import { Double, Havoc, Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { runProgram } from '../../helpers/run-program.ts';
import { startBus } from '../../helpers/worker-bus.ts';

const source = new URL('../../fixtures/worker/havoc.ts', import.meta.url);
const lines = readFileSync(fileURLToPath(source), 'utf8').split('\n');

/** The line behind that of its case. */
function lineOf(what: string): number {
  return lines.findIndex((line) => line.includes(`case '${what}':`)) + 2;
}

/** What is busy itself may not answer within the half second that it has. */
const patient = { retry: 5, timeout: 60_000 };

const kinds = ['loop', 'regex', 'allocation loop', 'Atomics.wait', 'microtask loop'];

test.each(kinds)(
  'stuck at - the error of a handler that blocks by %s names the line in its source',
  patient,
  async (what) => {
    const bus = await startBus('havoc-bus');
    const error = await rejection(bus.dispatch(new Havoc({ what }, { event_timeout: 0.2 })).eventResult());
    expect(isHandlerTimeoutError(error)).toBe(true);
    const { stuckAt, message, stack } = error as HandlerTimeoutError;
    expect(stuckAt?.[0]).toEqual({
      functionName: 'havoc',
      url: source.href,
      line: lineOf(what),
      column: stuckAt?.[0]?.column,
    });
    expect(stuckAt?.every(({ url }) => !url.startsWith('node:') && !url.includes('/packages/'))).toBe(true);
    expect(message).toContain(`It was at havoc (${fileURLToPath(source)}:${lineOf(what)}:`);
    expect(stack).toContain(`    at havoc (${fileURLToPath(source)}:${lineOf(what)}:`);
    expect(await bus.dispatch(new Double({ n: 2 })).eventResult()).toBe(4);
  },
);

test('stuck at - a native call gives nothing, and costs half a second at most', async () => {
  const bus = await startBus('havoc-bus');
  const error = await rejection(bus.dispatch(new Havoc({ what: 'native call' }, { event_timeout: 0.2 })).eventResult());
  expect(isHandlerTimeoutError(error)).toBe(true);
  expect((error as HandlerTimeoutError).stuckAt).toBe(null);
});

test('stuck at - a thread that does not answer says it too', patient, async () => {
  const bus = await startBus('havoc-bus', { unresponsiveTimeout: 0.5 });
  const error = await rejection(bus.dispatch(new Havoc({ what: 'loop' }, { event_timeout: null })).eventResult());
  expect(isWorkerCrashedError(error)).toBe(true);
  expect((error as WorkerCrashedError).stuckAt?.[0]?.line).toBe(lineOf('loop'));
});

test('stuck at - of six threads that are stuck at once, each says where', { timeout: 60_000 }, async () => {
  const workers = Array.from({ length: 6 }, (_, i) => stuckWorker(kinds[i % kinds.length] as string));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const stops = await Promise.all(workers.map(({ threadId }) => stopThread(threadId, () => 50, null)));
  const found = stops.map((stop) => stop?.calls.find(({ script }) => script.url.endsWith('/havoc.js'))?.functionName);
  await Promise.all(workers.map((worker) => worker.terminate()));
  expect(found).toEqual(Array.from({ length: 6 }, () => 'havoc'));
});

function stuckWorker(what: string): Worker {
  const code = `import { havoc } from ${JSON.stringify(fixtureUrl('worker/havoc').href)};
    import { parentPort } from 'node:worker_threads';
    parentPort.postMessage('up');
    havoc(${JSON.stringify(what)});`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
}

test('stuck at - whereIs tells what a busy thread is doing, and ends nothing', patient, async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer } });
  expect(await bus.whereIs()).toEqual([]);
  const step = new Step({ what: 'block', n: 3000 });
  const pending = bus.dispatch(step);
  await begun.reached(1);
  const [where, ...others] = await bus.whereIs();
  expect(others).toEqual([]);
  expect(where).toMatchObject({ threadId: bus.threadId, eventId: step.event_id });
  expect(where?.handlerName).toBeTypeOf('string');
  expect(where?.frames[0]?.url).toBe(new URL('../../fixtures/worker/havoc-bus.ts', import.meta.url).href);
  expect(await pending.eventResult()).toBe('blocked');
  expect(await bus.whereIs()).toEqual([]);
});

test(
  'stuck at - beside a debugger no thread is ended for its time, but stop still ends it',
  { timeout: 60_000 },
  async () => {
    const alone = await runProgram('worker/debugged-program');
    expect(alone.stdout).toBe('alone: another thread\n');
    const debugged = await runProgram('worker/debugged-program', [], ['--inspect=127.0.0.1:0']);
    expect(debugged.stdout).toBe('debugged: same thread\n');
    expect(debugged.code).toBe(0);
  },
);
