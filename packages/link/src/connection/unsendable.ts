import type { Outgoing } from '../outgoing/outgoing.ts';
import { unoffered, unsentError } from '../wire/clone-failure.ts';
import * as op from '../wire/protocol.ts';
import type { WireEvent } from '../wire/protocol.ts';

/** What is done about an operation that can't be cloned: what it was about ends with an error, and nothing else does. */
export class Unsendable {
  readonly #outgoing: Outgoing;
  readonly #repaired: (answer: readonly unknown[]) => readonly unknown[];

  /** @param repaired an answer without the values that can't be cloned */
  constructor(outgoing: Outgoing, repaired: (answer: readonly unknown[]) => readonly unknown[]) {
    this.#outgoing = outgoing;
    this.#repaired = repaired;
  }

  /** @returns what is sent instead; null = nothing */
  instead(operation: readonly unknown[], error: Error): readonly unknown[] | null {
    const [kind, number] = operation;
    if (kind === op.RESULT || kind === op.RESULTS) return this.#repaired(operation);
    const { name } = this.#outgoing.bus;
    if (kind === op.OFFER) return unoffered(number as number, operation[3] as WireEvent, name, error);
    if (kind === op.EVENT) this.failEvent(number as number, error);
    return null;
  }

  /** The event with that number can't be sent. */
  failEvent(number: number, error: Error): void {
    const part = this.#outgoing.take(number);
    if (part !== undefined) this.#outgoing.fail(part, unsentError(part.event, this.#outgoing.bus.name, error));
  }
}
