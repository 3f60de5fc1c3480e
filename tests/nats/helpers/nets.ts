import { type ConnectOptions, connectNats, type NatsNet } from '@threadbus/nats';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { NatsServer } from './nats-server.ts';

let namespaces = 0;

/** One server for a file's tests, each of which has a namespace of its own. */
export function sharedServer(): () => NatsServer {
  let server: NatsServer | null = null;
  beforeAll(async () => {
    server = await NatsServer.start();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  return () => server as NatsServer;
}

export function newNamespace(): string {
  namespaces += 1;
  return `t${process.pid}_${namespaces}`;
}

/** A net that is closed when the test is over. */
export async function connected(options: ConnectOptions): Promise<NatsNet> {
  const net = await connectNats(options);
  onTestFinished(() => net.close());
  return net;
}
