import { BaseEvent } from '@threadbus/core';
import { isLinkLostError, type NatsNet } from '@threadbus/nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { connected, newNamespace } from '../helpers/nets.ts';

const Page = BaseEvent.extend('Page', { text: z.string() }, { result: z.number() });
const small = new URL('../helpers/small-payload.conf', import.meta.url).pathname;

describe.skipIf(!hasServer)('smaller payload', () => {
  /** A server that is about to come back and take less, and a link over it. */
  async function setting() {
    const server = await NatsServer.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const namespace = newNamespace();
    const net = (): Promise<NatsNet> => connected({ servers: server.url, namespace });
    const far = quietBus({ name: 'Far' });
    far.on(Page, ({ text }) => text.length);
    await (await net()).serve(far);
    const remote = await (await net()).join(quietBus({ name: 'Near' }), 'Far', { unresponsiveTimeout: 30 });
    const call = (size: number): Promise<number> => remote.dispatch(new Page({ text: 'x'.repeat(size) })).eventResult();
    expect(await call(100_000)).toBe(100_000);
    return { server, remote, call };
  }

  test('link - a server that comes back and takes less: what leaves from then on is cut into smaller pieces', async () => {
    const { server, remote, call } = await setting();
    await server.kill();
    await server.start('-c', small);
    expect(await call(10)).toBe(10);
    expect(await call(100_000)).toBe(100_000);
    expect(remote.status).toBe('up');
  });

  test('link - a server that comes back and does not take what is on its way: that is said at both ends', async () => {
    const { server, remote, call } = await setting();
    server.signal('SIGSTOP');
    const lost = rejection(call(100_000));
    // It has left, and didn't arrive.
    await new Promise((resolve) => void setImmediate(resolve));
    await server.kill();
    await server.start('-c', small);
    const error = await lost;
    expect(isLinkLostError(error) && error.outcome).toBe('unknown');
    expect(error.message).toMatch(
      /^Far is lost: The session broke: .*max_payload.*\. Page#\w+ was sent; whether it ran/,
    );
    expect((await remote.closed)?.message).toContain('max_payload');
  });
});
