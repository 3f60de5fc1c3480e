import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as dial, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { EventBus } from '@threadbus/core';
import { connectNats, type JoinedBus } from '@threadbus/nats';
import { contest } from './contest.ts';
import { Square } from './nats-events.ts';
import { check, kept, type Load, type Scenario } from './scenario.ts';

const text = 'x'.repeat(200);

/** A server and the other process, which end with this one. */
async function startFar(): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', `${port}`], { stdio: 'ignore' });
  while (!(await answers(port)));
  const servers = `nats://127.0.0.1:${port}`;
  const far = fork(fileURLToPath(new URL('./nats-far.js', import.meta.url)), [servers]);
  endWithThis(server, far);
  await once(far, 'message');
  return servers;
}

async function answers(port: number): Promise<boolean> {
  const socket = dial(port, '127.0.0.1');
  const answered = await once(socket, 'data').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return answered;
}

function endWithThis(...children: readonly ChildProcess[]): void {
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL');
  });
  for (const child of children) child.unref();
}

async function startOurs(): Promise<JoinedBus> {
  const net = await connectNats({ servers: await startFar(), namespace: 'bench' });
  return net.join(new EventBus({ name: 'Near', maxPending: null }), 'Far', { maxInFlight: 512 });
}

const startRaw = async (): Promise<NatsConnection> => connect({ servers: await startFar() });

const callOurs = async (bus: JoinedBus, n: number): Promise<number> =>
  bus.dispatch(new Square({ n, text })).eventResult();
const callRaw = async (connection: NatsConnection, n: number): Promise<number> =>
  (await connection.request('square', JSON.stringify({ n, text }), { timeout: 60_000 })).json<{ value: number }>()
    .value;

/** So many calls, of which so many wait at a time. */
async function calls(size: number, callers: number, call: (n: number) => Promise<number>): Promise<void> {
  let next = 0;
  let sum = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let n = next++; n < size; n = next++) {
        const isRight = (await call(n)) === n * n;
        if (isRight) sum += 1;
      }
    }),
  );
  check(sum, size);
}

const load = (name: string, size: number, quick: number, callers: number): Load => ({
  name,
  unit: 'µs per call',
  ratio: '× as fast',
  size,
  quick,
  contestants: {
    threadbus: kept(startOurs, (bus, count, measure) => measure(() => calls(count, callers, (n) => callOurs(bus, n)))),
    'NATS request': kept(startRaw, (raw, count, measure) =>
      measure(() => calls(count, callers, (n) => callRaw(raw, n))),
    ),
  },
});

const hasServer = spawnSync('nats-server', ['--version']).status === 0;

/** Calls to another process over NATS, beside NATS's own requests. */
export const nats: Scenario = hasServer
  ? contest('nats', [load('one after another', 4000, 200, 1), load('512 in flight', 60_000, 2000, 512)])
  : {
      name: 'nats',
      run: async () => {
        console.error('nats: left out, there is no nats-server here (apt-get install nats-server)');
        return [];
      },
    };
