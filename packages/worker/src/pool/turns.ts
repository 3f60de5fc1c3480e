import type { Arrival, Link, LocalCall } from '@threadbus/link/internal';
import type { Desk } from './desk.ts';
import type { ShownFunction } from './shown-function.ts';

/**
 * Whose turn it is in a pool thread: it works for one call at a time, also if it was given several.
 *
 *   none ──a call comes that it may take──▶ at work ──what became of it has left──▶ none, or the next call's turn
 *
 * An answer leaves before the next call begins, which may block the thread for any time. What waits was given ahead: it
 * is taken, if it still may be, only when it is its turn.
 */
export class Turns {
  readonly #desk: Desk;
  #current: LocalCall | null = null;
  /** Of that. */
  #shown: ShownFunction | null = null;
  /** The answer of the last one waits for what was printed before it. */
  #gated = false;
  readonly #waiting: { readonly call: LocalCall; readonly number: number; readonly shown: ShownFunction }[] = [];

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** A call that comes now would begin at once. */
  get free(): boolean {
    return this.#current === null && !this.#gated;
  }

  /** It has begun. */
  begun(call: LocalCall, shown: ShownFunction): void {
    this.#current = call;
    this.#shown = shown;
  }

  /** It was given ahead. */
  wait(call: LocalCall, number: number, shown: ShownFunction): void {
    this.#waiting.push({ call, number, shown });
  }

  /** Something that came over that link has been answered. */
  answered({ event, brought, part }: Arrival, link: Link): void {
    const current = this.#current;
    if (current === null || current.event !== event) return;
    // The same event may have come for other functions, too.
    if (brought ? !current.over : part !== current) return;
    this.#current = null;
    const { outbox } = link;
    outbox.flush();
    this.#shown?.answered();
    this.#gated = outbox.gated;
    if (this.#gated) this.#desk.hold(true);
    else this.#next();
  }

  /** The answer has left. */
  opened(): void {
    if (!this.#gated) return;
    this.#gated = false;
    this.#desk.hold(false);
    this.#next();
  }

  #next(): void {
    while (this.free) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const { call, number, shown } = next;
      if (call.over) continue;
      if (this.#desk.take(number)) {
        this.begun(call, shown);
        call.begin();
      } else call.refuse();
    }
  }
}
