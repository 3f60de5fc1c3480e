import type { EventBus, EventBusOptions } from '@threadbus/core';
import { linkBuses, type LinkedBus, type LinkOptions } from '@threadbus/worker';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { quietBus } from '../helpers/quiet-bus.ts';

/** Two buses of this thread with a link between them. */
export interface LinkPair {
  readonly here: EventBus;
  readonly there: EventBus;
  /** `there`, as `here` reaches it, and the other way round. */
  readonly down: LinkedBus;
  readonly up: LinkedBus;
  readonly ports: readonly [MessagePort, MessagePort];
}

let pairs = 0;

export async function linkPair(options: LinkOptions = {}, busOptions: EventBusOptions = {}): Promise<LinkPair> {
  pairs += 1;
  const here = quietBus({ name: `Here${pairs}`, maxPending: null, ...busOptions });
  const there = quietBus({ name: `There${pairs}`, maxPending: null, ...busOptions });
  return { here, there, ...(await linked(here, there, options)) };
}

/** Joins two buses until the test is over. */
export async function linked(
  here: EventBus,
  there: EventBus,
  options: LinkOptions = {},
): Promise<Pick<LinkPair, 'down' | 'up' | 'ports'>> {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => {
    port1.close();
    port2.close();
  });
  const [down, up] = await Promise.all([linkBuses(here, port1, options), linkBuses(there, port2, options)]);
  return { down, up, ports: [port1, port2] };
}
