import type { MessagePort } from 'node:worker_threads';
import type { EventBus } from '@threadbus/core';
import type { BusIdentity } from '@threadbus/core/internal';
import type { Link } from './link.ts';
import { outsideContexts } from './portable.ts';
import type { Sender } from './outbox.ts';
import type { RemoteBus } from './remote-bus.ts';

/** How a port is used. */
export interface PortLinkOptions {
  /** The bus at this end; null if there is none. */
  readonly bus: EventBus | null;
  /** As whom this end introduces itself. */
  readonly identity: Readonly<BusIdentity>;
  /** The other side is known already: what waits goes out together with the introduction. @default false */
  readonly connected?: boolean;
  readonly onClose: () => void;
}

/**
 * Lets a MessagePort carry a link.
 *
 * Listeners run in a context of nobody: Node would otherwise call them in that of whoever made the port.
 */
export function linkOverPort(remote: RemoteBus, port: MessagePort, options: PortLinkOptions): Link {
  const { bus, identity, connected = false, onClose } = options;
  return outsideContexts(() => {
    const link = remote.createLink(sender(port), bus);
    port.on('message', (frame: unknown[]) => link.readFrame(frame));
    port.on('close', onClose);
    if (connected) remote.connect();
    link.open(identity);
    return link;
  });
}

function sender(port: MessagePort): Sender {
  return {
    postMessage(frame, transfer): void {
      // Without a list, even an empty one, Node has less to do.
      if (transfer.length === 0) port.postMessage(frame);
      else port.postMessage(frame, [...transfer]);
    },
  };
}
