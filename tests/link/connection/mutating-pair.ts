import type { Transport } from '@threadbus/link';
import { MessageChannel } from 'node:worker_threads';
import { portTransport } from '@threadbus/link';

/** Changes a frame that is on its way; what it returns is sent instead, in order, nothing of it = lost. */
export type Mutate = (frame: unknown[], direction: 'down' | 'up') => unknown[];

/** Both ends of a port, and between them somebody who changes frames. */
export function mutatingPair(mutate: Mutate): readonly [Transport, Transport] {
  const { port1, port2 } = new MessageChannel();
  const between = (inner: Transport, direction: 'down' | 'up'): Transport => ({
    ...inner,
    send: (frame, transfer) => {
      // As the transport would: who changes it must not reach what its sender holds.
      const copy = structuredClone(frame) as unknown[];
      for (const each of mutate(copy, direction)) inner.send(each, transfer);
    },
  });
  return [between(portTransport(port1), 'down'), between(portTransport(port2), 'up')];
}
