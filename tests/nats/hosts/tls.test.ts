import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isNatsUnavailableError } from '@threadbus/nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Square } from '../../fixtures/nats/events.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { connected, newNamespace } from '../helpers/nets.ts';
import { connectNats } from '@threadbus/nats';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A server with a certificate of its own making, which wants a user, too. */
async function tlsServer(): Promise<{ readonly server: NatsServer; readonly ca: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'threadbus-tls-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', key, '-out', cert];
  expect(spawnSync('openssl', [...request, ...names]).status).toBe(0);
  const server = await NatsServer.start('--tls', '--tlscert', cert, '--tlskey', key, '--user', 'ada', '--pass', 'pw');
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { server, ca: await readFile(cert, 'utf8') };
}

describe.skipIf(!hasServer || !hasOpenssl)('TLS', () => {
  test('TLS - a link and a queue over a server with a certificate and a user', async () => {
    const { server, ca } = await tlsServer();
    const nats = { tls: { ca }, user: 'ada', pass: 'pw' };
    const same = { servers: `tls://127.0.0.1:${server.port}`, namespace: newNamespace(), nats };
    const [here, there] = [await connected(same), await connected(same)];
    const index = quietBus({ name: 'Index' });
    index.on(Square, ({ n }) => n * n);
    await there.serve(index);
    const remote = await here.join(quietBus({ name: 'Main' }), 'Index');
    expect(await remote.dispatch(new Square({ n: 7 })).eventResult()).toBe(49);
    await server.kill();
    const call = remote.dispatch(new Square({ n: 8 }));
    await server.start();
    expect(await call.eventResult()).toBe(64);
    const jobs = await here.queue('squares', { events: [Square], maxDeliver: 1 });
    await using _crew = jobs.work(index);
    const done = await (await jobs.enqueue(new Square({ n: 9 }))).completed({ timeout: 10 });
    expect(await done.eventResult()).toBe(81);
  }, 30_000);

  test('TLS - a certificate that is not known, or no user, is a refusal with its cause, at once', async () => {
    const { server, ca } = await tlsServer();
    const servers = `tls://127.0.0.1:${server.port}`;
    for (const nats of [{ user: 'ada', pass: 'pw' }, { tls: { ca } }]) {
      const from = performance.now();
      const error = await rejection(connectNats({ servers, namespace: 'shop', connectTimeout: 20, nats }));
      expect(isNatsUnavailableError(error)).toBe(true);
      expect(error.cause).toBeInstanceOf(Error);
      expect(error.message).toContain('refused the connection');
      expect(performance.now() - from).toBeLessThan(15_000);
    }
  }, 60_000);
});
