/** So many are remembered: more than are under way in one place at a time. */
const remembered = 1024;

/**
 * Probes for cycles that have come to one event or gone over one edge: over an edge each goes once. One that leads into a
 * circle that isn't its own, or between objects of one event, would go round as long as the circle lasts, and two of them
 * if only the last was known.
 */
export class PassedProbes {
  readonly #tokens = new Set<string>();

  /** Those that are remembered, the oldest first. */
  tokens(): readonly string[] {
    return [...this.#tokens];
  }

  /** @returns whether the probe with that token has not been here, which it has from now on */
  first(token: string): boolean {
    if (this.#tokens.has(token)) return false;
    this.#tokens.add(token);
    if (this.#tokens.size > remembered) {
      for (const oldest of this.#tokens) {
        this.#tokens.delete(oldest);
        break;
      }
    }
    return true;
  }
}
