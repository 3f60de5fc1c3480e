import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BaseEvent, type EventBus } from '@threadbus/core';
import { HandlerPool, type HandlerPoolOptions } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { requestId } from '../../fixtures/worker/request-id.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

function poolBus(module: URL | string, options: HandlerPoolOptions = {}): EventBus {
  const pool = new HandlerPool({ maxThreads: 1, ...options });
  const bus = quietBus();
  onTestFinished(() => pool.stop());
  bus.on('Go', pool.handler(module));
  return bus;
}

const go = (payload: object = {}): BaseEvent => new BaseEvent(payload, { event_type: 'Go' });

const compiled = 'Object.defineProperty(exports, "__esModule", { value: true });';

test.each([
  ['as tsc does', `${compiled} exports.default = async ({ a, b }) => a + b;`],
  [
    'as esbuild does',
    `module.exports = Object.defineProperty({}, "__esModule", { value: true }); Object.defineProperty(module.exports, "default", { get: () => ({ a, b }) => a + b, enumerable: true });`,
  ],
  ['by hand', 'module.exports = ({ a, b }) => a + b;'],
])('pool module - a handler that was written to CommonJS %s is one', async (_, text) => {
  const file = join(tempFolder(), 'add.cjs');
  await writeFile(file, text);
  expect(
    await poolBus(pathToFileURL(file))
      .dispatch(go({ a: 3, b: 4 }))
      .eventResult(),
  ).toBe(7);
});

test.each([
  ['export const handler = () => 1', /to be the handler, .*; got undefined/],
  ['export default { default: 7 }', /to be the handler, .*; got an object/],
  ['export default class { run() {} }', /cannot be invoked without 'new'/],
])('pool module - %s: what is no handler is said to be none', async (text, message) => {
  const error = await rejection(poolBus(moduleOf(text)).dispatch(go()).eventResult());
  expect(error.message).toMatch(message);
});

test('pool module - the first call in a thread, and of a further module, has its portable context', async () => {
  const bus = poolBus(fixtureUrl('worker/request-task'));
  const seen = [];
  for (const id of ['r1', 'r2']) seen.push(await requestId.run(id, async () => bus.dispatch(go()).eventResult()));
  expect(seen).toEqual(['r1', 'r2']);
});

test('pool module - a call that waits for a thread keeps the context of its caller', async () => {
  const bus = poolBus(fixtureUrl('worker/request-task'));
  const ids = ['a', 'b', 'c', 'd'];
  const seen = ids.map(async (id) => requestId.run(id, async () => bus.dispatch(go()).eventResult()));
  expect(await Promise.all(seen)).toEqual(ids);
});

test('pool module - an event with a field that cannot be read fails alone', async () => {
  const bus = poolBus(moduleOf('export default ({ n }) => n'));
  const bad = go({ n: 1 });
  Object.defineProperty(bad, 'n', {
    enumerable: true,
    get() {
      throw new RangeError('not for you');
    },
  });
  const error = await rejection(bus.dispatch(bad).eventResult());
  expect(error.name).toBe('UnserializableError');
  expect(await bus.dispatch(go({ n: 2 })).eventResult()).toBe(2);
});

test('pool module - threads see the environment that they are given', async () => {
  const text = 'export default () => process.env.POOL_TEST ?? "none"';
  expect(
    await poolBus(moduleOf(text), { env: { POOL_TEST: 'given' } })
      .dispatch(go())
      .eventResult(),
  ).toBe('given');
  process.env['POOL_TEST'] = 'inherited';
  onTestFinished(() => {
    delete process.env['POOL_TEST'];
  });
  expect(await poolBus(moduleOf(text)).dispatch(go()).eventResult()).toBe('inherited');
});

test('pool module - threads have the Node options of the process, unless they are given others', async () => {
  const text = 'export default () => process.execArgv.join(" ")';
  expect(await poolBus(moduleOf(text)).dispatch(go()).eventResult()).toBe(process.execArgv.join(' '));
  const own = poolBus(moduleOf(text), { execArgv: ['--conditions=special'] });
  expect(await own.dispatch(go()).eventResult()).toBe('--conditions=special');
});
