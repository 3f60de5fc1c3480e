import { connect } from '@nats-io/transport-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Echo } from '../../fixtures/nats/events.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { connected, newNamespace } from '../helpers/nets.ts';
import { Peer } from '../helpers/peer.ts';

/** Bytes that a server keeps for a reader before it cuts it off. */
const kept = 64 << 20;
const [count, size] = [90, 1 << 20];

describe.skipIf(!hasServer)('slow', () => {
  test('slow - a reader that stands still gets all in the end, more than a server would keep for it, and is not cut off', async () => {
    const server = await NatsServer.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const namespace = newNamespace();
    const peer = await Peer.start({ servers: server.url, namespace });
    const connection = await connect({ servers: server.url, maxReconnectAttempts: -1 });
    onTestFinished(() => connection.close());
    const net = await connected({ connection, namespace });
    const bus = quietBus({ name: 'Main', maxPending: null });
    const remote = await net.join(bus, 'Index', { unresponsiveTimeout: 60, maxPendingBytes: 2 * count * size });
    expect(count * size).toBeGreaterThan(kept);
    peer.signal('SIGSTOP');
    const calls = Array.from({ length: count }, () => remote.dispatch(new Echo({ value: Buffer.alloc(size) })));
    const sizes = calls.map(async (call) => ((await call.eventResult()) as Uint8Array).length);
    // What may be on the way is with the server, as far as it takes it.
    await connection.flush();
    peer.signal('SIGCONT');
    expect(await Promise.all(sizes)).toEqual(calls.map(() => size));
    expect(server.printed).not.toContain('Slow Consumer');
  }, 60_000);
});
