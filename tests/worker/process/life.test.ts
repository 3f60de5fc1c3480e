import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BaseEvent, isHandlerTimeoutError } from '@threadbus/core';
import { isWorkerCrashedError } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Double, Havoc, Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection, stateOf } from '../../helpers/gate.ts';
import { isAlive } from '../../helpers/is-alive.ts';
import { isolate } from '../../helpers/isolation.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { startBus } from '../../helpers/worker-bus.ts';

isolate('process');

const linux = process.platform === 'linux';

/** A program in a group of its own, as a terminal starts it, and the ids that it has said. */
async function startGroup(
  what: string,
): Promise<{ program: ChildProcess; lines: AsyncIterator<string>; child: number }> {
  const program = spawn(process.execPath, [fileURLToPath(fixtureUrl('worker/process-program')), what], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  onTestFinished(() => {
    if (program.exitCode === null && program.signalCode === null) program.kill('SIGKILL');
  });
  const lines = createInterface({ input: program.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const first = (await lines.next()) as IteratorResult<string, undefined>;
  const { child } = JSON.parse(first.value ?? '') as { child: number };
  return { program, lines, child };
}

test.each(['idle', 'loop', 'regex', 'native call'])(
  'life - a process ends with its parent when that is killed, also in the middle of: %s',
  async (what) => {
    const { program, child } = await startGroup(what);
    expect(isAlive(child)).toBe(true);
    // The child has the output too: it closes when both are gone.
    const closed = once(program, 'close');
    process.kill(program.pid as number, 'SIGKILL');
    await closed;
    await expect.poll(() => isAlive(child), { timeout: 5000 }).toBe(false);
  },
);

test('life - a process ends when its parent exits while it is blocked', async () => {
  const { program, child } = await startGroup('exit');
  const [code] = (await once(program, 'close')) as [number];
  expect(code).toBe(0);
  await expect.poll(() => isAlive(child), { timeout: 5000 }).toBe(false);
});

test('life - Ctrl-C reaches both, and the parent decides: what is under way is finished', async () => {
  const { program, lines, child } = await startGroup('interruption');
  const closed = once(program, 'close');
  process.kill(-(program.pid as number), 'SIGINT');
  expect((await lines.next()).value).toBe('interrupted');
  expect((await lines.next()).value).toBe('blocked');
  expect(await closed).toEqual([0, null]);
  expect(isAlive(child)).toBe(false);
});

test('life - a process that is killed fails what had started, and the rest goes to the next', async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer } });
  const { pid } = bus;
  const running = bus.dispatch(new Step({ what: 'until aborted' }));
  const behind = [1, 2, 3].map((n) => bus.dispatch(new Double({ n })).eventResult());
  await begun.reached(1);
  process.kill(pid, 'SIGKILL');
  const error = await rejection(running.eventResult());
  expect(isWorkerCrashedError(error)).toBe(true);
  expect(error.message).toBe('The process of Havoc was ended by SIGKILL');
  expect(await Promise.all(behind)).toEqual([2, 4, 6]);
  expect(bus.pid).not.toBe(pid);
});

test.each([
  ['abort', /^The process of Havoc was ended by SIGABRT/],
  ['segfault', /^The process of Havoc was ended by SIGSEGV/],
])('life - %s ends the process alone', async (what, message) => {
  const bus = await startBus('havoc-bus');
  const error = await rejection(bus.dispatch(new Havoc({ what })).eventResult());
  expect(isWorkerCrashedError(error)).toBe(true);
  expect(error.message).toMatch(message);
  expect(await bus.dispatch(new Double({ n: 2 })).eventResult()).toBe(4);
});

const compiler = spawnSync('cc', ['--version']).status === 0 ? 'cc' : null;

test.skipIf(compiler === null)(
  'life - a null write in an addon ends the process alone (needs a C compiler)',
  async () => {
    const addon = join(tempFolder(), 'null-write.node');
    const source = fileURLToPath(new URL('../../fixtures/worker/native/null-write.c', import.meta.url));
    const flags = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
    const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', ...flags, '-o', addon, source]);
    expect(stderr.toString()).toBe('');
    expect(status).toBe(0);
    const bus = await startBus('havoc-bus');
    const error = await rejection(bus.dispatch(new Havoc({ what: addon })).eventResult());
    expect(isWorkerCrashedError(error)).toBe(true);
    expect(error.message).toMatch(/^The process of Havoc was ended by SIGSEGV/);
    expect(await bus.dispatch(new Double({ n: 2 })).eventResult()).toBe(4);
  },
);

const sqlite = builtinModules.includes('node:sqlite') || builtinModules.includes('sqlite');

test.each(['scrypt', 'prime', ...(sqlite ? ['SQLite'] : [])])(
  'life - a native call ends with its process soon after its time: %s',
  async (what) => {
    const bus = await startBus('havoc-bus');
    const { pid } = bus;
    const started = performance.now();
    const error = await rejection(bus.dispatch(new Havoc({ what }, { event_timeout: 0.3 })).eventResult());
    expect(isHandlerTimeoutError(error)).toBe(true);
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
    // The call alone takes half a minute or more.
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(await bus.dispatch(new Double({ n: 2 })).eventResult()).toBe(4);
  },
);

test('life - a process that is stopped goes on where it was', async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer } });
  const { pid } = bus;
  process.kill(pid, 'SIGSTOP');
  const waiting = bus.dispatch(new Double({ n: 3 })).eventResult();
  expect(await stateOf(waiting)).toBe('pending');
  process.kill(pid, 'SIGCONT');
  expect(await waiting).toBe(6);
  expect(bus.pid).toBe(pid);
});

test('life - an event that comes to a stopped process ends with its own time, and is not run by a replacement', async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer }, maxInFlight: 1 });
  const { pid } = bus;
  process.kill(pid, 'SIGSTOP');
  const late = bus.dispatch(new Double({ n: 3 }, { event_timeout: 0.1 }));
  const waiting = bus.dispatch(new Double({ n: 4 }, { event_timeout: 30 })).eventResult();
  const error = await rejection(late.eventResult());
  expect(isHandlerTimeoutError(error) && error.message).toContain('says nothing any more');
  // What was given up is on the wire still, and nobody's any more.
  expect(bus.stats()).toMatchObject({ inFlight: 0, waiting: 1, failed: 1 });
  process.kill(pid, 'SIGKILL');
  // The place on the wire is free again.
  expect(await waiting).toBe(8);
  expect(await bus.dispatch(new Double({ n: 5 })).eventResult()).toBe(10);
  expect(bus.pid).not.toBe(pid);
  expect(late.event.event_results.size).toBe(1);
});

test('life - a process that is stopped for longer than unresponsiveTimeout is replaced', async () => {
  const bus = await startBus('havoc-bus', { unresponsiveTimeout: 0.6 });
  const { pid } = bus;
  process.kill(pid, 'SIGSTOP');
  expect(await bus.dispatch(new Double({ n: 3 })).eventResult()).toBe(6);
  expect(bus.pid).not.toBe(pid);
  await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
});

test.runIf(linux)('life - no file, no zombie and no open descriptor is left', async () => {
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const boards = (): string[] => readdirSync('/dev/shm').filter((name) => name.startsWith('threadbus-board'));
  const first = await startBus('havoc-bus');
  await first.stop();
  const { pid } = first;
  await expect.poll(() => isAlive(pid)).toBe(false);
  const before = descriptors();
  const buses = await Promise.all([1, 2, 3].map(async () => startBus('havoc-bus')));
  const pids = buses.map((bus) => bus.pid);
  await Promise.all(buses.map((bus) => bus.dispatch(new Double({ n: 1 }))));
  await Promise.all(buses.map((bus) => bus.stop()));
  await expect.poll(() => pids.filter(isAlive), { timeout: 5000 }).toEqual([]);
  await expect.poll(descriptors, { timeout: 5000 }).toBeLessThanOrEqual(before);
  expect(boards()).toEqual([]);
});

test('life - buffers that are transferred are copied, and detached here', async () => {
  const bus = await startBus('havoc-bus');
  const bytes = new Uint8Array([1, 2, 3]);
  bus.on('Bytes', () => undefined);
  await bus.dispatch(new BaseEvent({ bytes }, { event_type: 'Bytes' }), { transfer: [bytes.buffer] });
  expect(bytes.byteLength).toBe(0);
});

test('life - a name is the title of the process', async () => {
  const bus = await startBus('options-bus', { name: 'a name' });
  const seen = await bus.dispatch(new BaseEvent({}, { event_type: 'Surroundings' })).eventResult();
  expect(seen).toMatchObject({ title: 'a name' });
});

test('life - limits of memory are the Node options of the process', async () => {
  const bus = await startBus('options-bus', { resourceLimits: { maxOldGenerationSizeMb: 64 } });
  const seen = await bus.dispatch(new BaseEvent({}, { event_type: 'Surroundings' })).eventResult();
  expect(seen).toMatchObject({ execArgv: expect.arrayContaining(['--max-old-space-size=64']) as string[] });
});
