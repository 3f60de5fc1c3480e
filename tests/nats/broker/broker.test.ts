import { connect } from '@nats-io/transport-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { gate } from '../../helpers/gate.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { Broker } from '../../../packages/nats/dist/broker/broker.js';

describe.skipIf(!hasServer)('broker', () => {
  test('broker - what is published while the server is away is dropped there and then: the client would keep it until it is back, without a bound', async () => {
    const server = await NatsServer.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const connection = await connect({ servers: server.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    onTestFinished(() => connection.close());
    const broker = new Broker(connection, false);
    const back = gate();
    broker.watch({ restored: back.open });
    const after = gate();
    const heard: string[] = [];
    broker.subscribe('news', ({ data }) => {
      heard.push(Buffer.from(data).toString());
      if (heard.at(-1) === 'after') after.open();
    });
    broker.publish('news', Buffer.from('before'));
    await broker.flush();
    await server.kill();
    // The client says it a turn later.
    await expect.poll(() => broker.isUp, { interval: 5 }).toBe(false);
    const given = connection.stats().outMsgs;
    for (let n = 0; n < 100; n += 1) broker.publish('news', Buffer.alloc(50_000));
    expect(connection.stats().outMsgs).toBe(given);
    await server.start();
    await back.opened;
    broker.publish('news', Buffer.from('after'));
    await after.opened;
    expect(heard).toEqual(['before', 'after']);
  });
});
