import { WorkerBus, type WorkerBusOptions } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { runProgram } from '../../helpers/run-program.ts';

const slow = { timeout: 60_000 };
const inspect = '--inspect=127.0.0.1:0';

async function heldBus(options: WorkerBusOptions): Promise<WorkerBus> {
  const bus = await WorkerBus.start(fixtureUrl('worker/held-bus'), {
    isolation: 'process',
    stderr: true,
    unresponsiveTimeout: 0.5,
    ...options,
  });
  onTestFinished(() => bus.stop({ timeout: 0 }));
  return bus;
}

test.each([
  ['by its Node options', { execArgv: [inspect] }],
  ['by its environment', { env: { ...process.env, NODE_OPTIONS: `--no-deprecation ${inspect}` } }],
])('debugged - a process with a debugger of its own, %s, is not ended for its time', slow, async (_how, options) => {
  const bus = await heldBus(options);
  const { pid } = bus;
  // Once past the handler's limit, once past that of a process which says nothing.
  expect(await bus.dispatch(new Step({ what: '', n: 1500 }, { event_timeout: 0.1 })).eventResult()).toBe(pid);
  expect(await bus.dispatch(new Step({ what: '', n: 1500 }, { event_timeout: null })).eventResult()).toBe(pid);
  expect(bus.pid).toBe(pid);
});

test(
  'debugged - options that only look like it open no debugger: the process is ended for its time',
  slow,
  async () => {
    const bus = await heldBus({ execArgv: ['--inspect-port=0'], unresponsiveTimeout: 60 });
    const error = await rejection(
      bus.dispatch(new Step({ what: '', n: 60_000 }, { event_timeout: 0.1 })).eventResult(),
    );
    expect(error.name).toBe('HandlerTimeoutError');
  },
);

test.each(['thread', 'process'])(
  'debugged - a %s whose module stands at a breakpoint has any time to start beside a debugger, and only there',
  slow,
  async (isolation) => {
    const alone = await runProgram('worker/held-start-program', [isolation]);
    expect(alone.stdout).toBe('WorkerStartError\n');
    const debugged = await runProgram('worker/held-start-program', [isolation], [inspect]);
    expect(debugged.stdout).toBe('up\n');
  },
);

// Elsewhere nobody can know which ports a process has.
const isNotLinux = process.platform !== 'linux';

async function inspectedBus(query: string, options: WorkerBusOptions = {}): Promise<WorkerBus> {
  const url = new URL(query, fixtureUrl('worker/inspected-bus'));
  const bus = await WorkerBus.start(url, { isolation: 'process', stderr: true, ...options });
  onTestFinished(() => bus.stop({ timeout: 0 }));
  return bus;
}

test.skipIf(isNotLinux)(
  'debugged - a process that opens its inspector as it runs is not ended until it closes that',
  slow,
  async () => {
    const bus = await inspectedBus('');
    const { pid } = bus;
    const step = (what: string, n: number): Step => new Step({ what, n }, { event_timeout: 0.1 });
    expect(await bus.dispatch(step('open', 1500)).eventResult()).toBe(pid);
    expect(await bus.dispatch(step('', 1500)).eventResult()).toBe(pid);
    expect((await rejection(bus.dispatch(step('close', 60_000)).eventResult())).name).toBe('HandlerTimeoutError');
  },
);

test.skipIf(isNotLinux)(
  'debugged - nor is one whose inspector is opened by a signal, or before it is up',
  slow,
  async () => {
    const bus = await inspectedBus('?opened=5000', { startTimeout: 4, unresponsiveTimeout: 0.5 });
    const { pid } = bus;
    expect(await bus.dispatch(new Step({ what: 'close', n: 0 })).eventResult()).toBe(pid);
    let said = '';
    const opened = new Promise<void>((resolve) => {
      bus.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.split('Debugger listening').length > 2) resolve();
      });
    });
    process.kill(pid, 'SIGUSR1');
    await opened;
    expect(await bus.dispatch(new Step({ what: '', n: 1500 }, { event_timeout: null })).eventResult()).toBe(pid);
    expect(bus.pid).toBe(pid);
  },
);

test.skipIf(isNotLinux)(
  'debugged - a process that serves others at a port of its own is ended for its time',
  slow,
  async () => {
    const bus = await inspectedBus('');
    const error = await rejection(
      bus.dispatch(new Step({ what: 'serve', n: 60_000 }, { event_timeout: 0.1 })).eventResult(),
    );
    expect(error.name).toBe('HandlerTimeoutError');
  },
);
