import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Runs } from '../../fixtures/nats/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Peer } from '../helpers/peer.ts';

const run = promisify(execFile);

describe.skipIf(!hasServer)('exit', () => {
  const server = sharedServer();

  test.each([
    ['dispatch', 'This process exits with 10 events for Index under way: they may never arrive.'],
    ['enqueue', 'This process exits while 10 events are to be stored in queues: some of them may never be.'],
    ['close', ''],
    ['nothing', ''],
  ] as const)('exit - by force after %s: what may be lost is said, and nothing else', async (how, text) => {
    const same = { servers: server().url, namespace: newNamespace() };
    await Peer.start(same);
    const args = [fileURLToPath(fixtureUrl('nats/exit-early')), JSON.stringify({ ...same, how })];
    const { stdout, stderr } = await run(process.execPath, args, {
      timeout: 20_000,
      env: { ...process.env, THREADBUS_LOG_LEVEL: 'warn' },
    });
    const lines = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('exits'));
    expect(lines).toHaveLength(text === '' ? 0 : 1);
    expect(lines.join('\n')).toContain(text);
    const net = await connected(same);
    const index = await net.join(quietBus({ name: 'Other' }), 'Index');
    const ran = await index.dispatch(new Runs({})).eventResult();
    // Closing drains: all that was sent has run by then.
    expect(ran.length).toBe(how === 'close' ? 10 : how === 'dispatch' ? ran.length : 0);
  });
});
