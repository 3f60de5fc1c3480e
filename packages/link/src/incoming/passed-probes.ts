/** So many are remembered: more than are under way over one edge at a time. */
const remembered = 1024;

/**
 * Probes for cycles that have gone over one edge: each goes once. One that leads into a circle that isn't its own, or
 * between objects of one event, would go round as long as the circle lasts, and two of them if only the last was known.
 */
export class PassedProbes {
  readonly #tokens = new Set<string>();

  /** @returns whether the probe with that token goes over it now */
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
