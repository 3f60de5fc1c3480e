import type { HandlerRun } from '@threadbus/core/internal';

/**
 * Handlers in progress, with the time of their start in monotonic milliseconds.
 *
 * Mostly it is one for a moment: a Map that is filled and emptied with each event would cost more than all the rest of
 * watching it, so there is one only for the second.
 */
export class RunningHandlers {
  #one: HandlerRun | null = null;
  #oneSince = 0;
  readonly #more = new Map<HandlerRun, number>();

  get size(): number {
    return (this.#one === null ? 0 : 1) + this.#more.size;
  }

  add(run: HandlerRun, since: number): void {
    if (this.#one === null && !this.#more.has(run)) {
      this.#one = run;
      this.#oneSince = since;
    } else if (this.#one === run) this.#oneSince = since;
    else this.#more.set(run, since);
  }

  has(run: HandlerRun): boolean {
    return this.#one === run || this.#more.has(run);
  }

  /** Since when it is in progress; undefined if it isn't. */
  since(run: HandlerRun): number | undefined {
    return this.#one === run ? this.#oneSince : this.#more.get(run);
  }

  /** @returns whether it was there */
  delete(run: HandlerRun): boolean {
    if (this.#one !== run) return this.#more.size > 0 && this.#more.delete(run);
    this.#one = null;
    return true;
  }

  /** Any of them. */
  first(): readonly [run: HandlerRun, since: number] | undefined {
    if (this.#one !== null) return [this.#one, this.#oneSince];
    const [first] = this.#more;
    return first;
  }
}
