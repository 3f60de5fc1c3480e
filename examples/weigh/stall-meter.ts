import { createHistogram } from 'node:perf_hooks';

/** The gaps between the ticks of a 2 ms interval, in milliseconds: how long other work had to wait for the thread. */
export interface Stalls {
  readonly p99: number;
  readonly max: number;
}

const INTERVAL_MS = 2;

/** Measures how long this thread is blocked. Not `monitorEventLoopDelay`, which forgets a stall right after its reset. */
export class StallMeter {
  readonly #gaps = createHistogram();
  #last = performance.now();
  readonly #timer = setInterval(() => this.#tick(), INTERVAL_MS).unref();

  stop(): Stalls {
    this.#tick();
    clearInterval(this.#timer);
    const milliseconds = (microseconds: number): number => Math.round(microseconds / 100) / 10;
    return { p99: milliseconds(this.#gaps.percentile(99)), max: milliseconds(this.#gaps.max) };
  }

  #tick(): void {
    const now = performance.now();
    this.#gaps.record(Math.max(1, Math.round((now - this.#last) * 1000)));
    this.#last = now;
  }
}
