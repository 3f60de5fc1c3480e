// The other process: a bus that is served, and a subject that is answered.
import { connect } from '@nats-io/transport-node';
import { EventBus } from '@threadbus/core';
import { connectNats } from '@threadbus/nats';
import { Square } from './nats-events.ts';

const [servers = ''] = process.argv.slice(2);
const bus = new EventBus({ name: 'Far', maxPending: null });
bus.on(Square, async ({ n }) => n * n);
const net = await connectNats({ servers, namespace: 'bench' });
await net.serve(bus);
const connection = await connect({ servers });
connection.subscribe('square', {
  callback: (_error, message) => {
    const { n } = message.json<{ n: number }>();
    message.respond(JSON.stringify({ value: n * n }));
  },
});
await connection.flush();
process.send?.('ready');
process.on('disconnect', () => process.exit());
