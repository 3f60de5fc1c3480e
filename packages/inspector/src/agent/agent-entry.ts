/** What threads and processes load once somebody looks: connects to the hub, and serves it as long as that lasts. */
import net, { type Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import { streamTransport } from '@threadbus/link';
import { outsideContexts } from '@threadbus/link/internal';
import { onThreadEnd } from '@threadbus/worker';
import { redactByDefault, type Redact, hidden } from '../basics/redact.ts';
import type { AgentCall, Order } from '../basics/messages.ts';
import { Agent } from './agent.ts';
import { announce } from './announce.ts';

/** Bytes that wait for the hub, from which on nothing is added. */
const mostUnsent = 1024 * 1024;
/** Bytes of the hub's answer, which is short. */
const mostHead = 4096;

/** The agents of this thread, by their hub. */
const connections = new Map<string, { readonly secret: string; readonly close: () => void }>();

/**
 * A thread may be called more than once for the same time of looking: by the one that started it, and by a preload. A
 * later time of looking replaces the one before, whose connection may not have ended yet.
 */
export default async function enter(call: AgentCall): Promise<void> {
  const known = connections.get(call.hub);
  if (known?.secret === call.secret) return;
  known?.close();
  let socket: Socket | null = null;
  let isOpen = true;
  const connection = {
    secret: call.secret,
    close: (): void => {
      isOpen = false;
      socket?.destroy();
    },
  };
  connections.set(call.hub, connection);
  const gone = (): void => {
    if (connections.get(call.hub) === connection) connections.delete(call.hub);
  };
  const redact = await redactOf(call);
  socket = await outsideContexts(() => connect(call));
  if (socket === null || !isOpen) {
    socket?.destroy();
    gone();
    return;
  }
  serve(socket, call, redact, gone);
}

/** What can't be loaded hides all. */
async function redactOf({ redact: url }: AgentCall): Promise<Redact> {
  if (url === null) return redactByDefault;
  try {
    const { default: redact } = (await import(url)) as { readonly default: unknown };
    return typeof redact === 'function' ? (redact as Redact) : () => hidden;
  } catch {
    return () => hidden;
  }
}

/**
 * By hand, and not by node:http: no thread has to load that for this, and what traces requests would show this one.
 *
 * @returns null if nobody looks any more, or there is no way there
 */
function connect({ port, secret }: AgentCall): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1').unref();
    let head = Buffer.alloc(0);
    const refused = (): void => {
      socket.destroy();
      resolve(null);
    };
    const read = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0 && head.length < mostHead) return;
      socket.off('data', read).pause();
      if (end < 0 || !head.toString('latin1').startsWith('HTTP/1.1 101 ')) {
        refused();
        return;
      }
      socket.unshift(head.subarray(end + 4));
      resolve(socket);
    };
    socket.on('data', read).on('close', refused);
    // Its 'close' follows.
    socket.on('error', () => undefined);
    const lines = [
      'GET /agent HTTP/1.1',
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${secret}`,
      'Connection: Upgrade',
      'Upgrade: threadbus-agent',
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  });
}

function serve(socket: Socket, call: AgentCall, redact: Redact, gone: () => void): void {
  outsideContexts(() => {
    socket.unref();
    const transport = streamTransport(socket, socket);
    const line = {
      send: (report: unknown) => transport.send(report, []),
      get isFull() {
        return socket.writableLength > mostUnsent;
      },
    };
    const agent = new Agent(line, call, redact);
    // The first thread of another process: its threads can't hear the hub.
    const endHook = onThreadEnd(async () => {
      agent.tellLast();
      await written(socket);
    });
    const endAnnouncing = isMainThread ? announce(call) : null;
    transport.open(
      (order) => agent.receive(order as Order),
      () => {
        agent.end();
        endHook();
        endAnnouncing?.();
        gone();
        socket.destroy();
      },
    );
    // It was paused where the hub's answer ended.
    socket.resume();
    transport.unref();
  });
}

/** All that has been sent so far has left this thread, or nobody takes it any more. */
async function written(socket: Socket): Promise<void> {
  // The transport writes once for all that it gets in one turn.
  await new Promise(setImmediate);
  if (socket.destroyed) return;
  await new Promise<void>((resolve) => {
    socket.once('close', resolve);
    socket.write('', () => resolve());
  });
}
