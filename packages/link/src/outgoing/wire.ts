import type { Transferable } from '@threadbus/core/internal';
import type { RemotePart } from './remote-part.ts';

/** The way out: a link that is up. */
export interface Wire {
  sendEvent(part: RemotePart, transfer: readonly Transferable[]): void;
  sendPromote(part: RemotePart): void;
  sendCancel(part: RemotePart, cause: unknown): void;
}
