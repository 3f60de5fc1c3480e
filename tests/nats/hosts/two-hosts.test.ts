import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { ChildProcess } from 'node:child_process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { TwoHosts, whyNoHosts } from './two-hosts.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const why = hasServer ? whyNoHosts() : 'there is no nats-server';
if (why !== null) console.warn(`Tests of two hosts are skipped: ${why}.`);

const pause = (seconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, seconds * 1000));

/** The next message that has the key. */
async function says(child: ChildProcess, key: string): Promise<Record<string, unknown>> {
  for (;;) {
    const [message] = (await once(child, 'message', { signal: AbortSignal.timeout(60_000) })) as [
      Record<string, unknown>,
    ];
    if (key in message) return message;
  }
}

describe.skipIf(why !== null)('two hosts', () => {
  test('two hosts - a wire of 20 ms that loses 1 %, and is cut for 3 s under load: nothing is lost, doubled or out of order', async () => {
    const hosts = new TwoHosts('20ms', '1%');
    const folder = await mkdtemp(join(tmpdir(), 'threadbus-hosts-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const [, far] = hosts.addresses;
    hosts.run(1, 'nats-server', '-a', far, '-p', '4222', '-js', '-sd', folder);
    const plan = { servers: `nats://${far}:4222`, namespace: 'hosts', name: 'Index' };
    const peer = hosts.run(1, process.execPath, fileURLToPath(fixtureUrl('nats/peer')), JSON.stringify(plan));
    await says(peer, 'ready');
    const near = hosts.run(0, process.execPath, fileURLToPath(fixtureUrl('nats/far-load')), JSON.stringify(plan));
    const { measured } = (await says(near, 'measured')) as {
      measured: { rtt: number; call: number; perSecond: number };
    };
    const [rtt, call, perSecond] = [measured.rtt.toFixed(2), measured.call.toFixed(2), measured.perSecond.toFixed(0)];
    console.log(
      `two hosts, ${hosts.spoils ?? 'no netem in this kernel: no delay, no loss'}: NATS ping ${rtt} ms, a call ${call} ms, 512 in flight ${perSecond} a second`,
    );
    await says(near, 'under');
    hosts.wire('down');
    await pause(3);
    hosts.wire('up');
    await pause(1.5);
    near.send('stop');
    const { load } = (await says(near, 'load')) as unknown as {
      load: { sent: number; answered: number; errors: string[]; once: boolean };
    };
    expect(load).toEqual({ sent: load.sent, answered: load.sent, errors: [], once: true });
    expect(load.sent).toBeGreaterThan(100);
  }, 120_000);

  test('two hosts - the whole conformance suite, this process on the one, server and bus on the other', async () => {
    const hosts = new TwoHosts('20ms', '1%');
    const [name, address] = [hosts.names[1], hosts.addresses[1]];
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const args = [vitest, 'run', '--testTimeout=60000', 'tests/conformance/nats.test.ts'];
    const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', hosts.names[0], process.execPath, ...args], {
      cwd: root,
      env: { ...process.env, THREADBUS_FAR_HOST: JSON.stringify({ name, address }), NO_COLOR: '1' },
      maxBuffer: 1 << 26,
    });
    const [, passed = '0'] = /tests: (\d+) passed, 0 failed, 8 skipped/.exec(stdout) ?? [];
    expect(Number(passed)).toBeGreaterThanOrEqual(132);
  }, 600_000);
});
