import { BaseEvent, isAwaitCycleError } from '@threadbus/core';
import { linkBuses, type LinkedBus, portTransport, type Transport } from '@threadbus/link';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { gate } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linked } from '../link-pair.ts';

/*
 * A wait for something on another bus is known there when it has come there. A probe for cycles that came there first, on
 * a way that was faster, has not seen it: here the direct way is held up until all others have been taken.
 */
const timeout = 60;

function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: timeout });
}

/** Frames of it stay on this side until they are let go. */
class HeldTransport implements Transport {
  readonly #inner: Transport;
  readonly #held: (readonly [unknown, readonly unknown[]])[] = [];
  #holds = false;

  constructor(port: MessagePort) {
    this.#inner = portTransport(port);
  }

  open(receive: (frame: unknown) => void, lost: (error: Error) => void): void {
    this.#inner.open(receive, lost);
  }

  send(frame: unknown, transfer: Parameters<Transport['send']>[1]): void {
    if (this.#holds) this.#held.push([structuredClone(frame), transfer]);
    else this.#inner.send(frame, transfer);
  }

  hold(): void {
    this.#holds = true;
  }

  letGo(): void {
    this.#holds = false;
    for (const [frame] of this.#held.splice(0)) this.#inner.send(frame, []);
  }

  close(): void {
    this.#inner.close();
  }

  ref(): void {
    this.#inner.ref();
  }

  unref(): void {
    this.#inner.unref();
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}

/** Three buses, each linked to both others; what the first says to the second can be held. */
async function triangle(name: string): Promise<{
  readonly buses: readonly ReturnType<typeof quietBus>[];
  readonly held: HeldTransport;
  readonly aToB: LinkedBus;
  readonly bToC: LinkedBus;
  readonly cToA: LinkedBus;
}> {
  const [a, b, c] = ['A', 'B', 'C'].map((each) => quietBus({ name: `${name}${each}`, maxPending: null }));
  if (a === undefined || b === undefined || c === undefined) throw new Error('no buses');
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const held = new HeldTransport(port1);
  const [aToB] = await Promise.all([linkBuses(a, held), linkBuses(b, port2)]);
  const { down: bToC } = await linked(b, c);
  const { down: cToA } = await linked(c, a);
  return { buses: [a, b, c], held, aToB, bToC, cToA };
}

test('late waits - a cycle over an expected event, of which the other side is told last', async () => {
  const { buses, held, aToB, bToC, cToA } = await triangle('Expected');
  const [a, b, c] = buses;
  const [asked, go] = [gate(), gate()];
  const top = event('Top');
  b?.on('Asked', async () => {
    await go.opened;
    await bToC.dispatch(event('Child'));
  });
  c?.on('Child', async () => void (await top.eventCompleted()));
  a?.on('Top', async () => {
    const awaited = (await expected).eventCompleted();
    asked.open();
    await awaited;
  });
  const expected = aToB.expect('Asked');
  await turns(10);
  held.hold();
  const below = b?.dispatch(event('Asked'));
  const sent = cToA.dispatch(top);
  await asked.opened;
  go.open();
  await turns(50);
  held.letGo();
  await Promise.all([sent, below]);
  const [child] = (await expected).event_children;
  const errors = [top, child].flatMap((each) => [...(each?.event_results.values() ?? [])].map(({ error }) => error));
  expect(errors.filter(isAwaitCycleError)).toHaveLength(1);
});

test('late waits - a cycle over a forward of an event that the other side has open already, for a function', async () => {
  const { buses, held, aToB, bToC, cToA } = await triangle('Forwarded');
  const [a, , c] = buses;
  const [asked, go] = [gate(), gate()];
  const top = event('Top');
  const other = event('Other');
  c?.on('Top', cToA.dispatch);
  c?.on('Other', cToA.dispatch);
  a?.on('Other', aToB.dispatch);
  // Runs on the side of b, which knows the other event for this function alone.
  bToC.on('Other', async () => {
    const awaited = top.eventCompleted();
    asked.open();
    await awaited;
  });
  a?.on('Top', async () => {
    await go.opened;
    await a.find('Other', { past: true, future: false }).then((found) => found?.eventCompleted());
  });
  await turns(10);
  const sent = bToC.dispatch(top);
  held.hold();
  const below = c?.dispatch(other);
  await asked.opened;
  await turns(10);
  go.open();
  await turns(50);
  held.letGo();
  await Promise.all([sent, below]);
  const errors = [top, other].flatMap((each) => [...each.event_results.values()].map(({ error }) => error));
  expect(errors.filter(isAwaitCycleError)).toHaveLength(1);
});
