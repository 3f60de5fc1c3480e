import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BaseEvent } from '@threadbus/core';
import { exposeBus, HandlerPool, parentBus, WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../helpers/fixture.ts';
import { rejection } from '../helpers/gate.ts';
import { quietBus } from '../helpers/quiet-bus.ts';
import { thrown } from '../helpers/thrown.ts';
import { startBus } from '../helpers/worker-bus.ts';

// The mistakes of the first hour: each is really made, and its message must say what to do next.

const nowhere = new URL('./no-such-file.js', import.meta.url);
const typescript = new URL('../fixtures/worker/no-task.ts', import.meta.url);
const [major = 0] = process.versions.node.split('.').map(Number);

/** A module of this text, in a folder of its own. */
function moduleOf(text: string): URL {
  const folder = mkdtempSync(join(tmpdir(), 'first-contact-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'handler.mjs');
  writeFileSync(path, text);
  return pathToFileURL(path);
}

/** What an event gets whose handler is this module. */
async function poolError(module: URL, payload: object = {}): Promise<Error> {
  const pool = new HandlerPool({ maxThreads: 1 });
  onTestFinished(() => pool.stop());
  const bus = quietBus();
  bus.on('*', pool.handler(module));
  return rejection(bus.dispatch(new BaseEvent(payload)).eventResult());
}

test('first contact - forgot exposeBus: the thread ended without it', async () => {
  const { message } = await rejection(WorkerBus.start(fixtureUrl('first-contact/forgot-to-expose')));
  expect(message).toContain('before it called exposeBus(bus). Call it once the bus has its handlers.');
});

test('first contact - forgot exposeBus: the thread is up and silent', async () => {
  const { message } = await rejection(
    WorkerBus.start(fixtureUrl('first-contact/waits-to-expose'), { startTimeout: 0.5 }),
  );
  expect(message).toContain('it did not call exposeBus(bus) within 0.5 s. Call it once the bus has its handlers');
});

test('first contact - wrong URL of the file: the file, and how to write it', async () => {
  const next = "Is the URL right? Write it as new URL('./file.js', import.meta.url).";
  for (const error of [await rejection(WorkerBus.start(nowhere)), await poolError(nowhere)]) {
    expect(error.message).toContain('no-such-file.js');
    expect(error.message).toContain(next);
  }
});

test('first contact - a relative path in place of a URL', async () => {
  const pool = new HandlerPool();
  onTestFinished(() => pool.stop());
  const start = await rejection(WorkerBus.start('./index-bus.js'));
  expect(start.message).toContain('new URL(\'./index-bus.js\', import.meta.url); got the string "./index-bus.js"');
  expect(thrown(() => pool.handler('/index-bus.js')).message).toContain('use pathToFileURL(path)');
});

test('first contact - a function in place of its file', () => {
  const pool = new HandlerPool();
  onTestFinished(() => pool.stop());
  const handler = (): number => 1;
  expect(thrown(() => pool.handler(handler as never)).message).toContain('make it the default export of a file');
});

test.runIf(major < 22)('first contact - a .ts file on Node 20: point to the compiled one', async () => {
  const next =
    'Node 20 runs no TypeScript in threads: point the URL to the compiled .js file, or start Node with --import tsx.';
  expect((await rejection(WorkerBus.start(typescript))).message).toContain(next);
  expect((await poolError(typescript)).message).toContain(next);
});

test('first contact - a module without a default export', async () => {
  const { message } = await poolError(fixtureUrl('worker/no-task'));
  expect(message).toContain('to be the handler, export default async (event) => { … }; got undefined.');
});

test('first contact - a payload that cannot cross: which field, and what can', async () => {
  const bus = await startBus('slow-bus');
  const payload = { user: { save: (): void => undefined } };
  for (const error of [
    await rejection(bus.dispatch(new BaseEvent(payload)).eventResult()),
    await poolError(fixtureUrl('worker/double-task'), payload),
  ]) {
    expect(error.message).toContain('field "user.save" (function save) cannot cross a thread boundary');
    expect(error.message).toContain('Send plain data: what structuredClone() accepts.');
  }
});

test('first contact - a worker bus that was stopped', async () => {
  const bus = await startBus('slow-bus');
  await bus.stop();
  expect(thrown(() => bus.dispatch(new BaseEvent())).message).toContain('Start another with WorkerBus.start(url).');
});

test('first contact - exposeBus and parentBus outside a thread that was started as a bus', () => {
  const next = 'only works in a thread that was started by WorkerBus.start(url)';
  expect(thrown(() => exposeBus(quietBus())).message).toContain(next);
  expect(thrown(() => parentBus()).message).toContain(next);
});

test('first contact - forgot to await the start of a worker bus', async () => {
  const starting = WorkerBus.start(fixtureUrl('worker/slow-bus'));
  const { dispatch } = starting as unknown as WorkerBus;
  const error = thrown(() => quietBus().on('*', dispatch));
  expect(error.message).toContain('got undefined. Is an await missing, as of WorkerBus.start(url)');
  await (await starting).stop();
});

test('first contact - a syntax error in a module: which file, and how to see where', async () => {
  const module = moduleOf('export default function (');
  const pool = new HandlerPool({ maxThreads: 1 });
  onTestFinished(() => pool.stop());
  const bus = quietBus();
  bus.on('*', pool.handler(module));
  // Another import of the module in a thread gives the same error: the file isn't named twice.
  for (const _time of [1, 2]) {
    const { name, message, stack } = await rejection(bus.dispatch(new BaseEvent()).eventResult());
    expect(name).toBe('SyntaxError');
    expect(message.split(`${module.href} could not be loaded: `)).toHaveLength(2);
    expect(message).toContain('node --check FILE shows the line');
    expect(stack).toContain(message);
  }
});

test('first contact - a module that throws: the error as it was, and the file in its stack', async () => {
  const module = moduleOf("JSON.parse('{');\nexport default () => 1;");
  const { name, message, stack } = await poolError(module);
  expect([name, message]).toEqual(['SyntaxError', thrown(() => JSON.parse('{') as unknown).message]);
  expect(stack).toContain(`${module.href}:1`);
});

test('first contact - a module that imports what is not there: its import is at fault, not the URL', async () => {
  const file = moduleOf("import './settings.mjs';\nexport default () => 1;");
  const started = await rejection(WorkerBus.start(file));
  for (const { message } of [await poolError(file), started]) {
    expect(message).toContain('settings.mjs');
    expect(message).toContain(`${file.href} is there, and imports it, itself or by another module`);
    expect(message).not.toContain('Is the URL right?');
  }
  const library = moduleOf("import 'no-such-library';\nexport default () => 1;");
  expect((await poolError(library)).message).toContain('Is it installed there? npm install no-such-library');
});

test('first contact - new WorkerBus: how it is started', () => {
  const Public = WorkerBus as unknown as new (url: URL) => WorkerBus;
  expect(thrown(() => new Public(nowhere)).message).toContain('await WorkerBus.start(url, { parent: bus })');
});

test.each([
  ['threads', "inline. Did you mean 'maxThreads' or 'minThreads'?"],
  ['queue', "inline. Did you mean 'maxQueue'?"],
  ['size', 'inline.'],
])('first contact - a pool with an option %s: which was meant, if it is clear', (wrong, end) => {
  expect(thrown(() => new HandlerPool({ [wrong]: 2 })).message.endsWith(end)).toBe(true);
});
