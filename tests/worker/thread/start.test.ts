import { pathToFileURL } from 'node:url';
import { BaseEvent, EventBus } from '@threadbus/core';
import { isWorkerStartError, WorkerBus, type WorkerBusOptions } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { startBus } from '../../helpers/worker-bus.ts';

/** An entry file that is written in its URL. */
function entry(code: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

const missing = new URL('../no-such-bus.js', import.meta.url);
const failures: [string, URL, WorkerBusOptions, RegExp][] = [
  [
    'a missing module',
    missing,
    {},
    /no-such-bus\.js could not be started.*failed to load: Error: Cannot find module.*Is the URL right\?/s,
  ],
  ['an error while it loads', entry("throw new TypeError('no config')"), {}, /failed to load: TypeError: no config/],
  ['no exposeBus()', entry('export {}'), {}, /ended \(exit code 0\) before it called exposeBus\(bus\)/],
  ['an exit', entry('process.exit(7)'), {}, /ended \(exit code 7\) before it called exposeBus/],
  [
    'a wait without end',
    entry('setInterval(() => {}, 1000)'),
    { startTimeout: 0.3 },
    /did not call exposeBus\(bus\) within 0\.3 s/,
  ],
  ['a block without end', entry('for (;;);'), { startTimeout: 0.3 }, /did not call exposeBus\(bus\) within 0\.3 s/],
];

test.each(failures)('start - %s rejects with what happened', async (_what, url, options, message) => {
  const error = await rejection(WorkerBus.start(url, options));
  expect(isWorkerStartError(error)).toBe(true);
  expect(error.message).toMatch(message);
});

test.runIf(process.versions.node.startsWith('20.'))('start - TypeScript on Node 20 says what to do', async () => {
  const error = await rejection(WorkerBus.start(new URL('./start.test.ts', import.meta.url)));
  expect(isWorkerStartError(error)).toBe(true);
  expect(error.message).toContain('point the URL to the compiled .js file');
});

test('start - twenty failures of each kind leave no handle behind', async () => {
  await WorkerBus.start(missing).catch(() => undefined);
  await idleHandles();
  const before = process.getActiveResourcesInfo().filter(isHandle).sort();
  for (const [, url, options] of failures) {
    for (let done = 0; done < 20; done += 10) {
      const starts = Array.from({ length: 10 }, () =>
        WorkerBus.start(url, 'startTimeout' in options ? { startTimeout: 0.1 } : options),
      );
      const outcomes = await Promise.allSettled(starts);
      expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    }
  }
  await expect
    .poll(() => process.getActiveResourcesInfo().filter(isHandle).sort(), { timeout: 10_000 })
    .toEqual(before);
}, 120_000);

function isHandle(type: string): boolean {
  return type === 'MessagePort' || type === 'Worker' || type === 'Timeout';
}

async function idleHandles(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
}

test('start - a name that a linked bus has already is refused', async () => {
  const parent = new EventBus({ name: 'Talker' });
  const error = await rejection(WorkerBus.start(fixtureUrl('worker/parent-bus'), { parent }));
  expect(isWorkerStartError(error)).toBe(true);
  expect(error.message).toContain('Two linked buses are called "Talker". Names must be unique');
  await parent.stop();
});

test.each([
  ['./index-bus.js', /Expected the entry file of a WorkerBus to be a file: URL.*got the string "\.\/index-bus\.js"/],
  ['/srv/index-bus.js', /use pathToFileURL\(path\)/],
  ['https://example.com/bus.js', /to be a file: URL.*got https:\/\/example\.com\/bus\.js/],
  [new URL('https://example.com/bus.js'), /to be a file: URL/],
  [undefined, /got undefined/],
])('start - the entry %s is refused', async (url, message) => {
  const error = await rejection(WorkerBus.start(url as URL));
  expect(error).toBeInstanceOf(TypeError);
  expect(error.message).toMatch(message);
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ startTimeOut: 1 }, /WorkerBus\.start has no option 'startTimeOut'/],
  [{ restart: 'always' }, /Expected restart to be 'on-crash', 'never' or an object/],
  [{ restart: { limit: 1.5 } }, /Expected restart.limit to be a whole number/],
  [{ restart: { limit: 0 } }, /Expected restart.limit to be above 0/],
  [{ restart: { times: 3 } }, /restart has no option 'times'/],
  [{ parent: {} }, /Expected parent to be an EventBus/],
  [{ execArgv: '--x' }, /Expected execArgv to be an array of strings/],
  [{ maxInFlight: 0 }, /Expected maxInFlight to be above 0/],
  [{ maxPending: -1 }, /Expected maxPending to be above 0/],
  [{ unresponsiveTimeout: 0 }, /Expected unresponsiveTimeout/],
  [{ startTimeout: -1 }, /Expected startTimeout/],
])('start - the options %o are refused', async (options, message) => {
  expect((await rejection(WorkerBus.start(missing, options))).message).toMatch(message);
});

test.each([
  [
    { workerData: { callback: () => undefined } },
    /could not be started as a bus: its workerData can't be cloned: .*could not be cloned/s,
  ],
  [{ execArgv: ['--no-such-option'] }, /could not be started as a bus: .*--no-such-option/],
])('start - what Node refuses is said', async (options, message) => {
  const error = await rejection(WorkerBus.start(missing, options));
  expect(isWorkerStartError(error)).toBe(true);
  expect(error.message).toMatch(message);
});

test('start - copies of one entry file get names and ids of their own', async () => {
  const [first, second] = await Promise.all([startBus('options-bus'), startBus('options-bus')]);
  expect([first?.name, second?.name].sort()).toEqual(['Options', 'Options_2']);
  expect(first?.id).not.toBe(second?.id);
  const asked = new BaseEvent({}, { event_type: 'WhoAmI' });
  expect(await second?.dispatch(asked).eventResult()).toBe(`${second?.name} ${second?.id}`);
  expect(asked.event_path).toEqual([second?.name]);
  await first?.stop();
  const third = await startBus('options-bus');
  expect(third.name).toBe('Options');
});

test('start - the thread sees its workerData, execArgv and resourceLimits', async () => {
  const bus = await startBus('options-bus', {
    workerData: { list: [1, { deep: new Date(0) }] },
    execArgv: ['--conditions=special'],
    resourceLimits: { maxOldGenerationSizeMb: 77 },
  });
  const event = new BaseEvent({}, { event_type: 'Surroundings' });
  expect(await bus.dispatch(event).eventResult()).toMatchObject({
    imported: { list: [1, { deep: new Date(0) }] },
    required: { list: [1, { deep: new Date(0) }] },
    execArgv: ['--conditions=special'],
    memory: 77,
  });
});

test('start - a heap in which no thread can start is an error of that start', async () => {
  const limits = { resourceLimits: { maxOldGenerationSizeMb: 1, stackSizeMb: 0.25 } };
  expect(isWorkerStartError(await rejection(WorkerBus.start(fixtureUrl('worker/options-bus'), limits)))).toBe(true);
});

test('start - an entry may be given as the text of a URL', async () => {
  const bus = await WorkerBus.start(pathToFileURL(new URL(fixtureUrl('worker/options-bus')).pathname).href);
  expect(bus.name).toBe('Options');
  await bus.stop();
});

test('start - a parent is a bus of this thread', async () => {
  const parent = quietBus();
  const bus = await startBus('parent-bus', { parent });
  expect(await bus.dispatch(new BaseEvent({}, { event_type: 'ParentName' })).eventResult()).toBe(parent.name);
});

test('start - maxPending bounds what waits on this side, and says so', async () => {
  const begun = sharedCounter();
  const bus = await startBus('busy-bus', { maxInFlight: 2, maxPending: 3, workerData: { begun: begun.buffer } });
  const sent = Array.from({ length: 5 }, () => bus.dispatch(new Step({ what: 'busy', n: 1 })));
  expect(() => bus.dispatch(new Step({ what: 'busy' }))).toThrow(
    'EventBus at capacity: Busy has 2 events on the wire and 3 waiting on this side (3 max), and refuses Step.',
  );
  expect(await Promise.all(sent.map((each) => each.eventResult()))).toEqual([1, 2, 3, 4, 5]);
  expect(await bus.dispatch(new Step({ what: 'busy' })).eventResult()).toBe(6);
});
