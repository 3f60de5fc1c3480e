import { sharedNow } from '../wire/shared-clock.ts';

const fewest = 64;
const most = 16_384;
/** Milliseconds: a message that is on its way for longer than that may find the times of so many events gone. */
const kept = 10_000;

/**
 * When the last events were dispatched to a bus, by the numbers of their arrival there: whoever asks for events from some
 * moment on, and is heard of later, gets those that came meanwhile, however old they are.
 *
 * A ring, which grows only while what it would lose is young.
 */
export class DispatchTimes {
  #times = new Float64Array(fewest);
  /** The first that is known, and the last there was; none if that is smaller. */
  #first = 1;
  #last = 0;

  /** The bus takes its so many-th event. */
  took(arrival: number): void {
    const time = sharedNow();
    if (arrival !== this.#last + 1) this.#first = arrival;
    else if (arrival - this.#first === this.#times.length) this.#makeRoom(time);
    this.#last = arrival;
    this.#times[arrival % this.#times.length] = time;
  }

  knows(arrival: number): boolean {
    return arrival >= this.#first && arrival <= this.#last;
  }

  /** The first event, of those that are known, that came no earlier than that; the next one that comes if there is none. */
  firstSince(time: number): number {
    let [from, to] = [this.#first, this.#last + 1];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if (this.#timeOf(middle) < time) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #timeOf(arrival: number): number {
    return this.#times[arrival % this.#times.length] ?? 0;
  }

  #makeRoom(time: number): void {
    if (this.#times.length === most || time - this.#timeOf(this.#first) > kept) {
      this.#first += 1;
      return;
    }
    const wider = new Float64Array(this.#times.length * 4);
    for (let each = this.#first; each <= this.#last; each += 1) wider[each % wider.length] = this.#timeOf(each);
    this.#times = wider;
  }
}
