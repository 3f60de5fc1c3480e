import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { text } from 'node:stream/consumers';
import { SHARE_ENV } from 'node:worker_threads';
import { BaseEvent } from '@threadbus/core';
import { WorkerBus, WorkerBusGroup, type WorkerBusOptions } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { runProgram } from '../../helpers/run-program.ts';
import { startBus } from '../../helpers/worker-bus.ts';

async function surroundings(options: WorkerBusOptions): Promise<unknown> {
  const bus = await startBus('options-bus', options);
  expect([bus.stdout, bus.stderr]).toEqual([null, null]);
  const event = new BaseEvent({}, { event_type: 'Surroundings' });
  return bus.dispatch(event).eventResult();
}

test('node options - a thread has those of its process, without what threads cannot have', async () => {
  const preload = 'data:text/javascript,globalThis.preloaded=true';
  const options = ['--max-old-space-size=300', '--conditions=custom', '--import', preload];
  const { stdout, stderr } = await runProgram('worker/surroundings-program', [], options);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ preloaded: true });
});

test.each(['module', 'commonjs'])(
  'node options - beside a text of kind %s, threads and processes start',
  async (kind) => {
    const entry = JSON.stringify(fixtureUrl('worker/options-bus').href);
    const program = `import('@threadbus/worker').then(async ({ WorkerBus }) => {
    for (const isolation of ['thread', 'process']) {
      const bus = await WorkerBus.start(new URL(${entry}), { isolation, restart: 'never' });
      console.log(isolation);
      await bus.stop();
    }
  });`;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [`--input-type=${kind}`, '-e', program], {
      cwd: fileURLToPath(new URL('.', fixtureUrl('worker/options-bus'))),
    });
    expect([stdout, stderr]).toEqual(['thread\nprocess\n', '']);
  },
);

test('node options - a process has them, too, with env, argv, stdout and the name of its file', async () => {
  const seen = await surroundings({
    isolation: 'process',
    execArgv: ['--conditions=x'],
    env: { SPEED: 'fast' },
    argv: ['--verbose'],
  });
  const file = fileURLToPath(fixtureUrl('worker/options-bus'));
  expect(seen).toMatchObject({ execArgv: ['--conditions=x'], speed: 'fast', argv: [file, '--verbose'] });
  const bus = await startBus('options-bus', { isolation: 'process', stdout: true, stderr: true });
  await bus.dispatch(new BaseEvent({ text: 'one' }, { event_type: 'Print' }));
  await bus.stop();
  expect(await text(bus.stdout as NodeJS.ReadableStream)).toBe('out one\n');
  const shared = await rejection(
    WorkerBus.start(fixtureUrl('worker/options-bus'), { isolation: 'process', env: SHARE_ENV }),
  );
  expect(shared.message).toMatch(/Expected env of a process to be an object/);
});

test('node options - execArgv takes the place of those of the process', async () => {
  expect(await surroundings({ execArgv: [] })).toMatchObject({ execArgv: [] });
  expect(await surroundings({ execArgv: ['--conditions=x'] })).toMatchObject({ execArgv: ['--conditions=x'] });
});

test('node options - under tsx, a TypeScript entry runs', { timeout: 60_000 }, () => {
  const program = fileURLToPath(new URL('../../fixtures/typescript/program.ts', import.meta.url));
  expect(execFileSync(process.execPath, ['--import', 'tsx', program], { encoding: 'utf8' })).toBe('40\n');
  const tsx = fileURLToPath(new URL('../../../node_modules/tsx/dist/cli.mjs', import.meta.url));
  expect(execFileSync(process.execPath, [tsx, program], { encoding: 'utf8' })).toBe('40\n');
});

test('node options - env and argv are the thread’s own, and its file is the entry', async () => {
  const seen = await surroundings({ env: { SPEED: 'fast' }, argv: ['--verbose', 'x'] });
  expect(seen).toMatchObject({
    speed: 'fast',
    argv: [fileURLToPath(fixtureUrl('worker/options-bus')), '--verbose', 'x'],
  });
  process.env['SPEED'] = 'shared';
  try {
    expect(await surroundings({ env: SHARE_ENV })).toMatchObject({ speed: 'shared' });
    expect(await surroundings({})).toMatchObject({ speed: 'shared' });
    expect(await surroundings({ env: {} })).toMatchObject({ speed: null });
  } finally {
    delete process.env['SPEED'];
  }
});

test('node options - stdout and stderr give what the threads print, over a restart, and end with the bus', async () => {
  const bus = await startBus('options-bus', { stdout: true, stderr: true });
  const print = (words: string): PromiseLike<unknown> =>
    bus.dispatch(new BaseEvent({ text: words }, { event_type: 'Print' }));
  const output = [text(bus.stdout as NodeJS.ReadableStream), text(bus.stderr as NodeJS.ReadableStream)];
  await print('one');
  await bus.dispatch(new BaseEvent({}, { event_type: 'Exit' }));
  await print('two');
  await bus.stop();
  expect(await Promise.all(output)).toEqual(['out one\nout two\n', 'err one\nerr two\n']);
});

test('node options - an answer does not wait for the reader of stdout, nor does the process', async () => {
  const bus = await startBus('options-bus', { stdout: true, stderr: true });
  const long = 'x'.repeat(100_000);
  for (let i = 0; i < 5; i += 1) await bus.dispatch(new BaseEvent({ text: long }, { event_type: 'Print' }));
  await bus.stop();
  expect((await text(bus.stdout as NodeJS.ReadableStream)).length).toBe(5 * 100_005);
});

const wrong: [string, unknown, RegExp][] = [
  ['execArgv', '--inspect', /Expected execArgv to be an array of strings/],
  ['execArgv', ['--conditions', 7], /Expected execArgv to be an array of strings/],
  ['argv', 'x', /Expected argv to be an array of strings/],
  ['env', ['SPEED=fast'], /Expected env to be an object of texts/],
  ['env', { SPEED: 7 }, /Expected env\.SPEED to be a text; got 7/],
  ['env', null, /Expected env to be an object of texts/],
  ['stdout', 'pipe', /Expected stdout to be true or false/],
  ['stderr', 1, /Expected stderr to be true or false/],
  ['name', '', /Expected name to be a text/],
  ['name', 7, /Expected name to be a text/],
  ['resourceLimits', 64, /Expected the options of resourceLimits to be an object/],
  [
    'resourceLimits',
    { maxOldGenerationSizeMb: '64' },
    /maxOldGenerationSizeMb to be a number of megabytes; got the str/,
  ],
  [
    'resourceLimits',
    { maxOldGenerationSizeMb: 0 },
    /maxOldGenerationSizeMb to be a number of megabytes above 0; got 0/,
  ],
  ['resourceLimits', { maxOldGenerationSizeMb: NaN }, /got NaN/],
  ['resourceLimits', { stackSizeMb: 0.2 }, /Expected resourceLimits\.stackSizeMb to be 0\.25 or more, .*; got 0\.2\./],
  ['resourceLimits', { maxOldSpace: 64 }, /resourceLimits has no option 'maxOldSpace'/],
  ['stdOut', true, /no option 'stdOut'/],
];

test.each(wrong)('node options - %s: %j is refused by a bus and a group', async (option, value, message) => {
  const url = fixtureUrl('worker/options-bus');
  const alone = await rejection(WorkerBus.start(url, { [option]: value }));
  expect(alone.message).toMatch(message);
  expect(alone instanceof TypeError || alone instanceof RangeError).toBe(true);
  const group = await rejection(WorkerBusGroup.start(url, { size: 1, [option]: value }));
  expect(group.message).toMatch(message);
});
