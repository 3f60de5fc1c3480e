import { type FarWait, type Lifecycle, letPass, PassedProbes, type Wait } from '@threadbus/core/internal';

/**
 * What the other side of a link waits for on this side: an edge of the graph of waits that leads over the link.
 *
 * Probes for cycles go over it to the other side, each once, whichever event of this side they come from. The edge may be
 * made when its event has been here for some time: what has come to the event before goes over it, too.
 */
export abstract class FarEdge implements Wait, FarWait {
  readonly runner = null;
  /** Null until there is one: few events are ever needed by an await that may close a cycle. */
  #probes: PassedProbes | null = null;

  /** Nobody's await on this side. */
  get far(): FarWait {
    return this;
  }

  /** Asks the other side whether the await with that token waits for what waits through this edge. */
  protected abstract probe(token: string): void;

  /** The event is complete. */
  abstract settle(): void;

  chase(token: string): void {
    this.#probes ??= new PassedProbes();
    if (this.#probes.first(token)) this.probe(token);
  }

  /** The edge leads from that event, too: one that nothing has come to yet, unless it `wasHere`. */
  from(lifecycle: Lifecycle, wasHere = true): void {
    lifecycle.addWait(this);
    if (wasHere) letPass(lifecycle, this);
  }
}
