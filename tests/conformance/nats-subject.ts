import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EventBus } from '@threadbus/core';
import { connectNats, type JoinedBus } from '@threadbus/nats';
import { fixtureUrl } from '../helpers/fixture.ts';
import { NatsServer, onFarHost } from '../nats/helpers/nats-server.ts';

let shared: Promise<NatsServer> | null = null;
let subjects = 0;

/** Ends the server that the subjects share. */
export async function stopSharedServer(): Promise<void> {
  await (await shared)?.[Symbol.asyncDispose]();
  shared = null;
}

/** A bus in another process, or in one behind it, joined over NATS. */
export async function joinOverNats(home: EventBus, middle: boolean): Promise<JoinedBus & { stop(): Promise<void> }> {
  shared ??= NatsServer.start();
  const { url: servers } = await shared;
  subjects += 1;
  const plan = { servers, namespace: `conformance${subjects}`, middle };
  const program = fileURLToPath(fixtureUrl('nats/conformance-process'));
  const [command, args] = onFarHost(process.execPath, [program, JSON.stringify(plan)]);
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  await Promise.race([
    once(child, 'message'),
    ended.then(() => {
      throw new Error('the process ended before it served its bus');
    }),
  ]);
  const net = await connectNats({ servers, namespace: plan.namespace });
  const joined = await net.join(home, middle ? 'Middle' : 'Subject', { maxPending: 100_000 });
  const stop = async (): Promise<void> => {
    await net.close();
    if (child.connected) child.disconnect();
    await ended;
  };
  return Object.assign(joined, { stop });
}
