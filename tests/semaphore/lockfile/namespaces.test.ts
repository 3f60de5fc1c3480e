import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isSemaphoreTimeoutError, MultiprocessSemaphore } from '@threadbus/semaphore';
import { expect, test, type TestContext } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { inLine } from '../folder-signals.ts';
import { Holder } from '../holder.ts';
import { temporaryDirectory, uniqueName } from '../temporary-directory.ts';

// Who is alive is decided by what can be known from where one stands: namespaces of pids and of time, with a /proc of their
// own or of another one's. Needs `unshare`, as root or with user namespaces.

const foreignProc = ['unshare', '--pid', '--fork', '--kill-child'];
const ownProc = [...foreignProc, '--mount-proc'];
const otherClock = ['unshare', '--time', '--boottime', '100000', '--monotonic', '100000', '--fork'];

function needs(context: TestContext, command: readonly string[]): void {
  const [program = '', ...args] = command;
  const { status } = spawnSync(program, [...args, 'true']);
  context.skip(status !== 0, `this machine does not permit ${command.join(' ')}`);
}

const make = () => ({ name: uniqueName(), limit: 1, directory: temporaryDirectory() });

const places: [string, string[]][] = [
  ['a pid namespace that sees our /proc', foreignProc],
  ['a pid namespace with a /proc of its own', ownProc],
  ['a time namespace', otherClock],
];

test.for(places)('namespaces - who holds in %s keeps the slot from us', async ([, command], context) => {
  needs(context, command);
  const options = make();
  const semaphore = new MultiprocessSemaphore(options);
  const holder = await Holder.elsewhere(options, command);
  await holder.acquire();
  expect((await semaphore.inspect()).holders).toMatchObject([{ state: 'unknown' }]);
  await expect(semaphore.acquire({ timeout: 0.4 })).rejects.toSatisfy(isSemaphoreTimeoutError);
  expect(await semaphore.tryAcquire()).toBeNull();
  await holder.release();
  await (await semaphore.acquire({ timeout: 10 })).release();
});

test.for(places)('namespaces - what we hold, %s can not take', async ([, command], context) => {
  needs(context, command);
  const options = make();
  const semaphore = new MultiprocessSemaphore(options);
  const lease = await semaphore.acquire();
  const other = await Holder.elsewhere(options, command);
  other.tell({ do: 'acquire', timeout: 0.4 });
  await other.report('failed ERR_SEMAPHORE_TIMEOUT');
  expect(lease.signal.aborted).toBe(false);
  other.tell({ do: 'acquire' });
  await inLine(semaphore);
  await lease.release();
  await other.report('acquired');
});

async function inNamespace(command: readonly string[], scenario: string): Promise<unknown> {
  const file = fileURLToPath(fixtureUrl('semaphore/in-namespace'));
  const [program, ...args] = [...command, process.execPath, file, scenario, temporaryDirectory()];
  const { stdout } = await promisify(execFile)(program, args);
  return JSON.parse(stdout);
}

test.for(places.slice(0, 2))(
  'namespaces - two processes in %s: one holds, a killed one is replaced',
  async ([, command], context) => {
    needs(context, command);
    const found = (await inNamespace(command, 'two')) as { whileHeld: string; afterKill: string; waitedMs: number };
    expect(found).toMatchObject({ whileHeld: 'ERR_SEMAPHORE_TIMEOUT', afterKill: 'acquired' });
    expect(found.waitedMs).toBeLessThan(5000);
  },
);

test.for(places)(
  'namespaces - threads of one process in %s share a limit, and a terminated one is replaced',
  async ([, command], context) => {
    needs(context, command);
    expect(await inNamespace(command, 'threads')).toEqual(['ERR_SEMAPHORE_TIMEOUT', 'acquired']);
  },
);
