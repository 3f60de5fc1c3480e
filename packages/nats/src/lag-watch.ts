import { defaultLogger } from '@threadbus/core/internal';
import type { Logger } from '@threadbus/core';

/** Milliseconds between two looks. */
const interval = 200;

/**
 * Says once, loudly, that the event loop doesn't turn: beats and acknowledgements live on it, and whoever waits for them
 * takes this process for lost.
 */
export class LagWatch {
  #timer: NodeJS.Timeout | null = null;
  #limit = 1000;
  #logger: Logger = defaultLogger();
  #expected = 0;
  #hasWarned = false;

  /** Somebody relies on this thread's turns from now on. @param seconds of lag that are too many */
  watch(seconds: number, logger: Logger): void {
    this.#limit = Math.min(this.#limit, seconds * 1000);
    if (this.#hasWarned || this.#timer !== null) return;
    this.#logger = logger;
    this.#expected = performance.now() + interval;
    this.#timer = setInterval(() => this.#look(), interval).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const lag = performance.now() - this.#expected;
    this.#expected = performance.now() + interval;
    if (lag < this.#limit) return;
    this.#hasWarned = true;
    this.stop();
    this.#logger.warn(
      `This thread came to nothing else for ${(lag / 1000).toFixed(1)} s: a handler kept it, or the machine had no time for it. Signs of life and acknowledgements to NATS wait meanwhile, and others may take this process for lost. Run handlers that take long in a WorkerBus or a HandlerPool.`,
    );
  }
}
