import { LinkedList } from '@threadbus/core/internal';
import type { RemotePart } from './remote-part.ts';

/** Parts that wait on this side, in order, and about how many bytes they keep: of those that were weighed. */
export class WaitingParts extends LinkedList<RemotePart> {
  bytes = 0;

  override insertAfter(place: RemotePart | null, part: RemotePart): void {
    super.insertAfter(place, part);
    this.bytes += part.bytes;
  }

  override remove(part: RemotePart): void {
    super.remove(part);
    this.bytes -= part.bytes;
  }

  /** `part` must stand in this list. */
  weigh(part: RemotePart, bytes: number): void {
    this.bytes += bytes - part.bytes;
    part.bytes = bytes;
  }
}
