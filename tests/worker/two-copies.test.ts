import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import * as core from '@threadbus/core';
import * as link from '@threadbus/link';
import * as worker from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { fixtureUrl } from '../helpers/fixture.ts';
import { rejection } from '../helpers/gate.ts';
import { moduleOf } from '../helpers/module.ts';
import { quietBus } from '../helpers/quiet-bus.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { thrown } from '../helpers/thrown.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const twoLoaded = /of another copy of @threadbus\/core: two are loaded/;

interface Copy {
  readonly core: typeof core;
  readonly link: typeof link;
  readonly worker: typeof worker;
}

/** The same packages once more, as a bundle or a second version brings them. */
async function secondCopy(): Promise<Copy> {
  const folder = tempFolder();
  const scope = join(folder, 'node_modules/@threadbus');
  mkdirSync(scope, { recursive: true });
  for (const name of ['core', 'link', 'worker']) {
    cpSync(join(root, 'packages', name, 'dist'), join(scope, name, 'dist'), { recursive: true });
    cpSync(join(root, 'packages', name, 'package.json'), join(scope, name, 'package.json'));
  }
  for (const name of ['zod', 'uuidv7', 'piscina', 'comlink']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
  }
  const index = join(folder, 'index.mjs');
  const lines = ['core', 'link', 'worker'].map((name) => `export * as ${name} from '@threadbus/${name}';`);
  writeFileSync(index, lines.join('\n'));
  return (await import(/* @vite-ignore */ pathToFileURL(index).href)) as Copy;
}

test('two copies - what is given to the other one is said to be of another', { timeout: 60_000 }, async () => {
  const other = await secondCopy();
  const shape = { n: z.number() };
  const Job = core.BaseEvent.extend('Job', shape);
  const OtherJob = other.core.BaseEvent.extend('Job', shape);
  const bus = quietBus({ name: 'Main' });
  const otherBus = new other.core.EventBus({ name: 'Other' });

  // What TypeScript takes for the same.
  expect(thrown(() => bus.dispatch(new OtherJob({ n: 1 }) as never)).message).toMatch(twoLoaded);
  expect(thrown(() => bus.on(OtherJob, () => undefined)).message).toMatch(twoLoaded);
  const { port1 } = new MessageChannel();
  onTestFinished(() => port1.close());
  expect(thrown(() => link.linkBuses(otherBus as never, port1)).message).toMatch(twoLoaded);
  const refused = await rejection(worker.WorkerBus.start(fixtureUrl('worker/echo-bus'), { parent: otherBus }));
  expect(refused.message).toMatch(twoLoaded);

  const otherPool = new other.worker.HandlerPool({ maxThreads: 1 });
  onTestFinished(() => otherPool.stop());
  bus.on('Job', otherPool.handler<number>(moduleOf('export default ({ n }) => n')));
  const failed = await rejection(bus.dispatch(new Job({ n: 1 })).eventResult());
  expect(failed.message).toMatch(/^This function is a handler, to be called by a bus/);
  expect(failed.message).toMatch(twoLoaded);
});

test('two copies - joined by a link, they understand each other', async () => {
  const other = await secondCopy();
  const { port1, port2 } = new MessageChannel();
  const bus = quietBus({ name: 'Here' });
  const otherBus = new other.core.EventBus({ name: 'There' });
  otherBus.on('Job', (event) => event instanceof other.core.BaseEvent);
  const [there, here] = await Promise.all([link.linkBuses(bus, port1), other.link.linkBuses(otherBus, port2)]);
  onTestFinished(() => {
    there.close();
    here.close();
  });
  bus.on('*', there.dispatch);
  expect(await bus.dispatch(new core.BaseEvent({}, { event_type: 'Job' })).eventResult()).toBe(true);
});

test('two copies - the handler of a pool is for the event of its bus, and no other', async () => {
  const pool = new worker.HandlerPool({ inline: true });
  onTestFinished(() => pool.stop());
  const bus = quietBus({ name: 'Calls' });
  const handler = pool.handler(moduleOf('export default () => 1')) as (event: unknown) => unknown;
  bus.on('Job', () => handler(new core.BaseEvent({}, { event_type: 'Else' })));
  const failed = await rejection(bus.dispatch(new core.BaseEvent({}, { event_type: 'Job' })).eventResult());
  expect(failed.message).toMatch(/to be called by a bus.* It was called with an object \(BaseEvent\)\./);
});
