// The other process: a service of Moleculer.
import { ServiceBroker } from 'moleculer';

const [servers = ''] = process.argv.slice(2);
const broker = new ServiceBroker({ nodeID: 'far', transporter: servers, logger: false });
broker.createService({
  name: 'far',
  actions: { square: async ({ params }: { params: { n: number } }) => params.n * params.n },
});
await broker.start();
process.send?.('ready');
process.on('disconnect', () => process.exit());
