import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connectNats, isNatsUnavailableError } from '@threadbus/nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Square } from '../../fixtures/nats/events.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { connected, newNamespace } from '../helpers/nets.ts';

/** Takes connections, and says nothing. */
async function silentServer(): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `nats://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.skipIf(!hasServer)('connect', () => {
  test('connect - several servers that say nothing take connectTimeout together, not each', async () => {
    const servers = await Promise.all([1, 2, 3, 4, 5, 6].map(silentServer));
    const start = performance.now();
    const error = await rejection(connectNats({ servers, namespace: newNamespace(), connectTimeout: 1 }));
    expect(isNatsUnavailableError(error)).toBe(true);
    expect(error.message).toContain('could not be reached within 1 s');
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test('connect - a server that refuses for a while, since it was set up anew, is connected again', async () => {
    const server = await NatsServer.start('--user', 'user', '--pass', 'right');
    onTestFinished(() => server[Symbol.asyncDispose]());
    const nats = { user: 'user', pass: 'right', reconnectTimeWait: 20, reconnectJitter: 1 };
    const same = { servers: server.url, namespace: newNamespace(), nats };
    const [here, there] = [await connected(same), await connected(same)];
    const bus = quietBus({ name: 'Index' });
    bus.on(Square, ({ n }) => n * n);
    const offer = await there.serve(bus);
    await server.kill();
    await server.start('--user', 'user', '--pass', 'other');
    // Each of the two is refused several times.
    await expect
      .poll(() => server.printed.match(/authentication error/g)?.length ?? 0, { timeout: 10_000 })
      .toBeGreaterThan(8);
    await server.kill();
    await server.start('--user', 'user', '--pass', 'right');
    expect(offer.isClosed).toBe(false);
    const main = quietBus({ name: 'Main' });
    const join = async (): Promise<number | null> => {
      const remote = await here.join(main, 'Index', { startTimeout: 5 });
      const result = await remote.dispatch(new Square({ n: 3 })).eventResult();
      await remote.close();
      return result;
    };
    await expect.poll(() => join().catch(() => null), { timeout: 15_000 }).toBe(9);
  }, 60_000);

  test('connect - what the server does not allow is said, with the permission that is missing', async () => {
    const server = await NatsServer.start('-c', new URL('../helpers/no-store.conf', import.meta.url).pathname);
    onTestFinished(() => server[Symbol.asyncDispose]());
    const net = await connected({ servers: server.url, namespace: newNamespace(), nats: { user: 'few', pass: 'few' } });
    const error = await rejection(net.queue('jobs', { events: [Square], maxDeliver: 1 }));
    expect(isNatsUnavailableError(error)).toBe(true);
    expect(error.message).toContain('$JS.API');
    expect(error.message).toContain('permission');
  });
});
