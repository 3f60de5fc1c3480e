import type { EventBus } from '@threadbus/core';
import type { BusIdentity } from '@threadbus/core/internal';
import type { Link } from '../connection/link.ts';
import type { Transport } from '../transport/transport.ts';
import { outsideContexts } from '../wire/portable.ts';
import { InTurn } from './in-turn.ts';
import type { RemoteBus } from './remote-bus.ts';

/** How a transport is used. */
export interface LinkOverOptions {
  /** The bus at this end; null if there is none. */
  readonly bus: EventBus | null;
  /** As whom this end introduces itself. */
  readonly identity: Readonly<BusIdentity>;
  /** The other side is known already: what waits goes out together with the introduction. @default false */
  readonly connected?: boolean;
  /** Told once if the link ends by itself: the transport failed, or what came over it is nothing that can be believed. */
  readonly onLost: (error: Error) => void;
}

/** Lets a transport carry a link. What comes over it is handled in a context of nobody. */
export function linkOver(remote: RemoteBus, transport: Transport, options: LinkOverOptions): Link {
  const { bus, identity, connected = false, onLost } = options;
  return outsideContexts(() => {
    const link = remote.createLink(transport, bus, onLost);
    // A transport may hand over within its `send`, as a stream of this thread does: then one side reads while it reads.
    const frames = new InTurn<unknown>((frame) => link.readFrame(frame));
    transport.open(
      (frame) => frames.add(frame),
      (error) => link.lose(error),
      (error) => link.unread(error),
    );
    if (connected) remote.connect();
    link.open(identity);
    return link;
  });
}
