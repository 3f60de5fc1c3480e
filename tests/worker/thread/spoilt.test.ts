import { BaseEvent } from '@threadbus/core';
import { WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { isolation } from '../../helpers/isolation.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietParent } from '../../helpers/worker-bus.ts';

/** A bus of which a handler runs that code. */
async function spoiltBus(code: string): Promise<WorkerBus> {
  const parent = quietParent();
  parent.on('Home', () => 'home');
  const bus = await WorkerBus.start(
    moduleOf(`
      import { BaseEvent, EventBus } from ${JSON.stringify(import.meta.resolve('@threadbus/core'))};
      import { exposeBus, parentBus } from ${JSON.stringify(import.meta.resolve('@threadbus/worker'))};
      const bus = new EventBus({ name: 'Spoilt' });
      bus.on('Spoil', () => { ${code} });
      bus.on('Plain', ({ n }) => n);
      bus.on('Later', async () => { await new Promise((resolve) => setImmediate(resolve)); return 'later'; });
      bus.on('Never', () => new Promise(() => {}));
      bus.on('Child', async () => (await bus.dispatch(new BaseEvent({}, { event_type: 'Later' }))).event_type);
      bus.on('Up', async ({ n }) => parentBus().dispatch(new BaseEvent({ ['n' + n]: n }, { event_type: 'Home' })));
      bus.on('UpAlone', ({ n }) => { parentBus().dispatch(new BaseEvent({ ['m' + n]: n }, { event_type: 'Home' })); });
      bus.on('*', ({ event_type }) => event_type);
      exposeBus(bus);`),
    { parent, isolation: isolation() },
  );
  onTestFinished(() => bus.stop());
  return bus;
}

// Random programs have a handler that replaces one of forty things: tests/fixtures/worker/bus-program.ts.
test.each([
  ['Promise.prototype.then', 'Promise.prototype.then = () => new Promise(() => {});'],
  ['JSON.stringify', "JSON.stringify = () => { throw new Error('spoilt'); };"],
])(
  'spoilt - where a handler has replaced %s, every event ends',
  async (_, code) => {
    const bus = await spoiltBus(code);
    await bus.dispatch(new BaseEvent({}, { event_type: 'Spoil', event_timeout: 1 }));
    const ends = ['Plain', 'Later', 'Up', 'UpAlone', 'Child', 'Never'].map(async (event_type, n) => {
      const event = await bus.dispatch(new BaseEvent({ n }, { event_type, event_timeout: 1 }));
      return [event_type, event.event_status];
    });
    const all = await Promise.all(ends);
    expect(all.map(([, status]) => status)).toEqual(ends.map(() => 'completed'));
    expect(bus.stats()).toMatchObject({ inFlight: 0, waiting: 0 });
  },
  20_000,
);
