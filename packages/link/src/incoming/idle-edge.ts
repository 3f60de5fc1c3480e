import type { Lifecycle } from '@threadbus/core/internal';
import type { Outbox } from '../outgoing/outbox.ts';
import * as op from '../wire/protocol.ts';
import { FarEdge } from './far-edge.ts';

/** The other side waits for all that is under way on the bus of this side: for each of these events. */
export class IdleEdge extends FarEdge {
  /** It is no await of any event of them. */
  readonly silent = true;
  readonly #id: number;
  readonly #outbox: Outbox;
  readonly #isIdle: () => boolean;
  /** Events that are not complete; one more until all of them are known. */
  #open = 1;

  /** @param isIdle whether nothing more has come meanwhile: the other side asks again if so */
  constructor(id: number, outbox: Outbox, isIdle: () => boolean) {
    super();
    this.#id = id;
    this.#outbox = outbox;
    this.#isIdle = isIdle;
  }

  waitForAll(events: Iterable<{ readonly lifecycle: Lifecycle }>): void {
    for (const { lifecycle } of events) {
      this.#open += 1;
      this.from(lifecycle);
      lifecycle.cover();
    }
    this.settle();
  }

  settle(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#outbox.push(op.IDLE, this.#id, this.#isIdle());
  }

  protected probe(token: string): void {
    this.#outbox.push(op.PROBE_IDLE, this.#id, token);
  }
}
