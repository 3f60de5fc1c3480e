const { EventBus } = require('@threadbus/core');
const { exposeBus } = require('@threadbus/worker');

const bus = new EventBus({ name: 'Far' });
bus.on('Double', ({ n }) => n * 2 + 0.5);
exposeBus(bus);
