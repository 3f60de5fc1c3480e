import type { StartedBoard } from '@threadbus/link/internal';

/** What this end knows of the events that it has sent, by their numbers on the link. */
export class SentBoard implements StartedBoard {
  readonly #clock: () => number;
  readonly #sentAt: number[] = [];
  readonly #started = new Set<number>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** An event goes out under the number. */
  clear(number: number): void {
    this.#sentAt[number] = this.#clock();
    this.#started.delete(number);
  }

  /** The other end says that it has started it. */
  start(number: number): void {
    if (number in this.#sentAt) this.#started.add(number);
  }

  hasStarted(number: number): boolean {
    return this.#started.has(number);
  }

  /** All numbers that were ever used, with the milliseconds since they were last: some may be answered already. */
  *ages(): IterableIterator<readonly [number: number, age: number]> {
    const now = this.#clock();
    for (const [number, at] of this.#sentAt.entries()) if (at !== undefined) yield [number, now - at];
  }
}
