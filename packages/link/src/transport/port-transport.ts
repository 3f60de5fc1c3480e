import type { MessagePort } from 'node:worker_threads';
import { LinkError } from '../wire/errors.ts';
import { outsideContexts } from '../wire/portable.ts';
import { cloneFailure, type Transport, TransportEnded } from './transport.ts';

/**
 * Lets a MessagePort carry a link; `linkBuses(bus, port)` does it by itself.
 *
 * Listeners run in a context of nobody: Node would otherwise call them in that of whoever made the port.
 *
 * @example
 * ```ts
 * const { port1, port2 } = new MessageChannel();
 * const index = await linkBuses(main, portTransport(port1));   // as linkBuses(main, port1)
 * ```
 */
export function portTransport(port: MessagePort): Transport {
  let over = false;
  return {
    open(receive, lost, unread) {
      const end = (error: Error): void => {
        if (over) return;
        over = true;
        lost(error);
      };
      outsideContexts(() => {
        port.on('message', (frame: unknown) => {
          if (!over) receive(frame);
        });
        port.on('messageerror', (cause) => {
          const error = new LinkError('A message of the other side could not be read.', {}, { cause });
          if (unread?.(error) !== true) end(error);
        });
        port.on('close', () => end(new TransportEnded('The port was closed.')));
      });
    },
    send(frame, transfer) {
      if (over) return;
      try {
        // Without a list, even an empty one, Node has less to do.
        if (transfer.length === 0) port.postMessage(frame);
        else port.postMessage(frame, [...transfer]);
      } catch (error) {
        // A port that is closed throws nothing: it is always about the value.
        throw cloneFailure(error);
      }
    },
    close() {
      over = true;
      port.close();
    },
    ref: () => port.ref(),
    unref: () => port.unref(),
  };
}
