/** Times of many ends, in seconds. */
export interface TimeSummary {
  /** Their sum, divided by their number. */
  readonly mean: number;
  /** Half of them were not longer, within a few percent. */
  readonly p50: number;
  /** 99 of 100 were not longer, within a few percent. */
  readonly p99: number;
  /** The longest. */
  readonly max: number;
}

/** Buckets for each doubling: a percentile is right within about four percent. */
const perDoubling = 16;
/** The first bucket ends at a microsecond, the last begins at about a day. */
const smallest = 1e-6;
const doublings = 36;

/** Counts times in buckets, each some percent wider than the one before: what it holds and costs doesn't grow. */
export class TimeHistogram {
  readonly #buckets = new Float64Array(doublings * perDoubling);
  #count = 0;
  #sum = 0;
  #max = 0;

  /** All times of several. */
  static of(parts: readonly TimeHistogram[]): TimeHistogram {
    const all = new TimeHistogram();
    for (const part of parts) {
      for (const [at, count] of part.#buckets.entries()) all.#buckets[at] = (all.#buckets[at] as number) + count;
      all.#count += part.#count;
      all.#sum += part.#sum;
      all.#max = Math.max(all.#max, part.#max);
    }
    return all;
  }

  add(seconds: number): void {
    const time = Math.max(seconds, 0);
    const bucket = Math.floor(Math.log2(Math.max(time, smallest) / smallest) * perDoubling);
    const at = Math.min(bucket, this.#buckets.length - 1);
    this.#buckets[at] = (this.#buckets[at] as number) + 1;
    this.#count += 1;
    this.#sum += time;
    this.#max = Math.max(this.#max, time);
  }

  /** Null before the first. */
  get summary(): TimeSummary | null {
    if (this.#count === 0) return null;
    return { mean: this.#sum / this.#count, p50: this.#percentile(0.5), p99: this.#percentile(0.99), max: this.#max };
  }

  #percentile(share: number): number {
    let left = this.#count * share;
    for (const [at, count] of this.#buckets.entries()) {
      left -= count;
      // The middle of the bucket, as far as times go there.
      if (left <= 0) return Math.min(this.#max, smallest * 2 ** ((at + 0.5) / perDoubling));
    }
    return this.#max;
  }
}
