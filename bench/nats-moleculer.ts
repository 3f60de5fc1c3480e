// The other process: a service of Moleculer.
import { ServiceBroker } from 'moleculer';

const [servers = ''] = process.argv.slice(2);
const broker = new ServiceBroker({ nodeID: 'far', transporter: servers, logger: false });
broker.createService({
  name: 'far',
  actions: {
    square: {
      // What comes is checked, as it is by an event's class.
      params: { n: 'number', text: 'string' },
      handler: async ({ params }: { params: { n: number } }) => params.n * params.n,
    },
  },
});
await broker.start();
process.send?.('ready');
process.on('disconnect', () => process.exit());
