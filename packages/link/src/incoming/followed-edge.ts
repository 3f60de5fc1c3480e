import { FarEdge } from './far-edge.ts';

/** The other side waits for an event that it has expected, and taken from an offer. */
export class FollowedEdge extends FarEdge {
  readonly #ask: (token: string) => void;
  readonly settle: () => void;

  constructor(ask: (token: string) => void, settle: () => void) {
    super();
    this.#ask = ask;
    this.settle = settle;
  }

  protected probe(token: string): void {
    this.#ask(token);
  }
}
