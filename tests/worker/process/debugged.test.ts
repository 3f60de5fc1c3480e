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
