import { BaseEvent } from '@threadbus/core';
import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { linkOver } from '../../../packages/link/dist/remote/link-over.js';
import { portTransport } from '../../../packages/link/dist/transport/port-transport.js';
import { COMPLETED, EVENT, RESULT, SOURCE } from '../../../packages/link/dist/wire/protocol.js';
import { RemoteBus } from '../../../packages/link/dist/remote/remote-bus.js';
import { gate, stateOf, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { FarEnd } from '../far-end.ts';

const identity = { id: 'near id', name: 'Near' };
const source = [SOURCE, 0, 'handler id', 'handler', 'far id', 'Far', 0, 1];

/** The far end of one generation's port: a thread as the link sees it, which answers when the test says so. */
interface Generation {
  readonly near: MessagePort;
  readonly far: MessagePort;
  /** Numbers of the events that have arrived and are not answered. */
  readonly open: number[];
  answer(number: number, value: unknown): Promise<void>;
}

function connect(remote: RemoteBus): Generation {
  const { port1: near, port2: far } = new MessageChannel();
  onTestFinished(() => near.close());
  const open: number[] = [];
  const end = new FarEnd(far, ([kind, number]) => {
    if (kind === EVENT) open.push(number as number);
  });
  linkOver(remote, portTransport(near), { bus: null, identity, connected: true, onLost: () => undefined });
  end.greet('Far');
  return {
    near,
    far,
    open,
    async answer(number, value) {
      if (open.includes(number)) open.splice(open.indexOf(number), 1);
      const arrived = once(near, 'message');
      end.send(...source, RESULT, number, 0, COMPLETED, 1000, 1000, 0, 1, value);
      await arrived;
      await ticks();
    },
  };
}

function remoteBus(maxInFlight = 256): RemoteBus {
  const limits = { maxInFlight, maxPending: 100 };
  return new RemoteBus({ id: 'far id', name: 'Far' }, null, limits, { busy: () => undefined });
}

/** What a supervisor does when a thread is gone and nothing had started there. */
function restart(remote: RemoteBus): Generation {
  const parts = remote.disconnect(new Error('the thread is gone'));
  remote.outgoing.resend(parts);
  return connect(remote);
}

test('remote bus - a message of the lost thread that arrives late is dropped', async () => {
  const remote = remoteBus();
  const old = connect(remote);
  const result = remote.dispatch(new BaseEvent({}, { event_type: 'Any' })).eventResult();
  await once(old.far, 'message');
  await ticks();
  const late = old.open[0] as number;
  const next = restart(remote);
  await ticks();
  expect(next.open).toEqual([late]);
  await old.answer(late, 'late');
  expect(await stateOf(result)).toBe('pending');
  await next.answer(late, 'in time');
  expect(await result).toBe('in time');
});

test('remote bus - after a restart no more are on the wire than before, whoever awaits what', async () => {
  const remote = remoteBus(2);
  const bus = quietBus();
  const old = connect(remote);
  const events = Array.from({ length: 7 }, (_, n) => new BaseEvent({ n }, { event_type: 'Any' }));
  const [first] = events as [BaseEvent];
  const sent = events.map((event) => remote.dispatch(event));
  const awaiting = gate();
  bus.on('Outer', async () => {
    awaiting.open();
    await first.eventCompleted();
  });
  const outer = bus.dispatch(new BaseEvent({}, { event_type: 'Outer' }));
  await awaiting.opened;
  await ticks();
  expect(old.open).toHaveLength(2);
  const next = restart(remote);
  await ticks();
  // The awaited one takes no place any more.
  expect(next.open).toHaveLength(3);
  while (next.open.length > 0) {
    await next.answer(next.open[0] as number, 'done');
    expect(next.open.length).toBeLessThanOrEqual(2);
  }
  await Promise.all([...sent, outer]);
  expect(remote.outgoing.capacity.pending).toBe(0);
  for (let n = 0; n < 5; n += 1) remote.dispatch(new BaseEvent({ n }, { event_type: 'Any' }));
  await ticks();
  expect(next.open).toHaveLength(2);
  remote.fail(new Error('the end'));
});
