import { connect, type NatsConnection } from '@nats-io/transport-node';
import { EventBus } from '@threadbus/core';
import { connectNats, type JoinedBus } from '@threadbus/nats';
import { ServiceBroker } from 'moleculer';
import { contest } from './contest.ts';
import { Square } from './nats-events.ts';
import { calls, hasNats, startFar, startNats } from './nats-servers.ts';
import { check, kept, type Load, type Scenario } from './scenario.ts';

const text = 'x'.repeat(200);

async function startOurs(): Promise<JoinedBus> {
  const servers = await startNats();
  await startFar('./nats-far.js', servers);
  const net = await connectNats({ servers, namespace: 'bench' });
  return net.join(new EventBus({ name: 'Near', maxPending: null }), 'Far', { maxInFlight: 512 });
}

async function startRaw(): Promise<NatsConnection> {
  const servers = await startNats();
  await startFar('./nats-far.js', servers);
  return connect({ servers });
}

async function startMoleculer(): Promise<ServiceBroker> {
  const servers = await startNats();
  const broker = new ServiceBroker({ nodeID: 'near', transporter: servers, logger: false, requestTimeout: 0 });
  await broker.start();
  await startFar('./nats-moleculer.js', servers);
  await broker.waitForServices('far');
  return broker;
}

const callOurs = async (bus: JoinedBus, n: number): Promise<number> =>
  bus.dispatch(new Square({ n, text })).eventResult();
const callRaw = async (connection: NatsConnection, n: number): Promise<number> =>
  (await connection.request('square', JSON.stringify({ n, text }), { timeout: 60_000 })).json<{ value: number }>()
    .value;
const callMoleculer = async (broker: ServiceBroker, n: number): Promise<number> =>
  broker.call<number, { n: number; text: string }>('far.square', { n, text });

const load = (name: string, size: number, quick: number, callers: number): Load => ({
  name,
  unit: 'µs per call',
  ratio: '× as fast',
  size,
  quick,
  contestants: {
    threadbus: kept(startOurs, (bus, count, measure) =>
      measure(async () => check(await calls(count, callers, (n) => callOurs(bus, n)), count)),
    ),
    'NATS request': kept(startRaw, (raw, count, measure) =>
      measure(async () => check(await calls(count, callers, (n) => callRaw(raw, n)), count)),
    ),
    Moleculer: kept(startMoleculer, (broker, count, measure) =>
      measure(async () => check(await calls(count, callers, (n) => callMoleculer(broker, n)), count)),
    ),
  },
});

/** Calls to another process over NATS, beside NATS's own requests and Moleculer's. */
export const nats: Scenario = hasNats
  ? contest('nats', [load('one after another', 4000, 200, 1), load('512 in flight', 60_000, 2000, 512)])
  : {
      name: 'nats',
      run: async () => {
        console.error('nats: left out, there is no nats-server here (apt-get install nats-server)');
        return [];
      },
    };
