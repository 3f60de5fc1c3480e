import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BaseEvent } from '@threadbus/core';
import { HandlerPool, WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { moduleOf } from '../helpers/module.ts';
import { quietBus } from '../helpers/quiet-bus.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** How many files of zod, or with another part in their path, are among all that the thread runs. */
const lookIn = `
import { Session } from 'node:inspector';
const count = (part = '/zod/') => {
  const files = [];
  const session = new Session();
  session.connect();
  session.on('Debugger.scriptParsed', ({ params }) => files.push(params.url));
  session.post('Debugger.enable');
  session.disconnect();
  if (!files.some((file) => file.includes('/core/'))) throw new Error('not even the core was seen');
  return files.filter((file) => file.includes(part)).length;
};
`;
const url = (path: string): string => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
const worker = url('packages/worker/dist/index.js');
const core = url('packages/core/dist/index.js');
const zod = url('node_modules/zod/index.js');

const lookFor = (): BaseEvent => new BaseEvent({}, { event_type: 'Look' });

async function inPool(handler: string): Promise<unknown> {
  const pool = new HandlerPool({ maxThreads: 1 });
  const bus = quietBus();
  onTestFinished(() => pool.stop());
  bus.on('Look', pool.handler(moduleOf(handler)));
  return bus.dispatch(lookFor()).eventResult();
}

async function inBus(text: string, isolation: 'thread' | 'process'): Promise<unknown> {
  const file = join(tempFolder(), 'bus.mjs');
  await writeFile(file, text);
  const bus = await WorkerBus.start(pathToFileURL(file), { isolation });
  onTestFinished(() => bus.stop());
  return bus.dispatch(lookFor()).eventResult();
}

test('left out - a pool thread whose handler describes nothing loads no zod, and no bus', async () => {
  expect(
    await inPool(`${lookIn} export default () => [count(), count('/event-bus.js'), count('/log-file.js')];`),
  ).toEqual([0, 0, 0]);
});

test.each(['thread', 'process'] as const)(
  'left out - a bus in a %s that carries events alone loads no zod',
  { timeout: 20_000 },
  async (type) => {
    const entry = `${lookIn}
      import { exposeBus } from ${worker};
      import { EventBus } from ${url('packages/core/dist/seam/bus-class.js')};
      const bus = new EventBus({ name: 'Carrier' });
      bus.on('Look', () => count());
      exposeBus(bus);`;
    expect(await inBus(entry, type)).toBe(0);
  },
);

test('left out - a handler that describes an event with zod has it', async () => {
  const handler = `${lookIn}
    import { BaseEvent } from ${core};
    import { z } from ${zod};
    const Made = BaseEvent.extend('Made', { n: z.number() }, { result: z.string() });
    export default () => {
      let message = '';
      try { new Made({ n: 'none' }); } catch (error) { message = error.message; }
      return [count() > 0, message.includes('expected number'), new Made({ n: 3 }).n];
    };`;
  expect(await inPool(handler)).toEqual([true, true, 3]);
});

test('left out - zod is there for who extends the class of an event that has come', async () => {
  const handler = `
    import { z } from ${zod};
    export default (event) => {
      const Made = event.constructor.extend('Made', { n: z.number() });
      class Named extends event.constructor {}
      let name = '';
      try { new Made({ n: 'none' }); } catch (error) { name = error.name; }
      return [name, new Made({ n: 3, other: 4 }).other, new Named({ a: 5 }).a];
    };`;
  expect(await inPool(handler)).toEqual(['EventValidationError', 4, 5]);
});
