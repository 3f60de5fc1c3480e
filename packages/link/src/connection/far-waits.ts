import { chaseOn } from '@threadbus/core/internal';
import type { Outgoing } from '../outgoing/outgoing.ts';
import type { LinkOwner } from './link-owner.ts';

/** Cycles of awaits that lead over a link: what the other side says of this side's waits there. */
export class FarWaits {
  readonly #owner: LinkOwner;
  readonly #outgoing: Outgoing;

  constructor(owner: LinkOwner, outgoing: Outgoing) {
    this.#owner = owner;
    this.#outgoing = outgoing;
  }

  /** What awaits under that token waits for something there that this side's EVENT with that number needs. */
  probed(number: number, token: string): void {
    const lifecycle = number < 0 ? this.#owner.followedBy(-number) : this.#outgoing.sentAs(number)?.lifecycle;
    if (lifecycle !== undefined) chaseOn(token, lifecycle);
  }
}
