import { decodeThrown } from '@threadbus/link/internal';
import { maxModules, type ThreadNews, type ToThread } from './pool-port.ts';
import type { ThreadClock } from './thread-clock.ts';
import { loadTimeoutError, startTimeoutError } from './thread-errors.ts';
import type { ThreadOptions } from './thread-host.ts';

/** Told of what a thread has loaded. */
export interface ModulesOwner {
  /** @param module null if the thread is up and has loaded all that it is to preload */
  loaded(module: number | null): void;
  notLoaded(entry: string, error: unknown): void;
}

/**
 * The modules that a thread has loaded, and the one that it is loading: first, one after the other, those that are to be
 * there before its first call.
 */
export class ThreadModules {
  /** What is being loaded, as URL; null if nothing is. */
  loading: string | null = null;
  /** The thread has said that it loads it. */
  begun = false;
  readonly #owner: ModulesOwner;
  readonly #clock: ThreadClock;
  readonly #options: ThreadOptions;
  readonly #tell: (message: ToThread) => void;
  readonly #numbers = new Map<string, number>();
  #requested = 0;
  #isUp = false;

  constructor(owner: ModulesOwner, clock: ThreadClock, options: ThreadOptions, tell: (message: ToThread) => void) {
    this.#owner = owner;
    this.#clock = clock;
    this.#options = options;
    this.#tell = tell;
    // Until it says that it is up.
    clock.endIn(options.startTimeout, () => startTimeoutError(options.startTimeout));
  }

  /** It has loaded so many that another thread should take its place. */
  get worn(): boolean {
    return this.#requested >= maxModules;
  }

  /** Undefined if it isn't loaded. */
  numberOf(entry: string): number | undefined {
    return this.#numbers.get(entry);
  }

  load(entry: string): void {
    this.loading = entry;
    this.begun = false;
    this.#tell({ load: this.#requested, entry });
    this.#requested += 1;
  }

  hear(message: ThreadNews): void {
    if (message.news === 'up') this.#preload();
    else if (message.news === 'loading') this.#begins();
    else if (message.news === 'loaded') this.#loaded(message.module);
    else if (message.news === 'failed') this.#failed(decodeThrown(message.error));
  }

  #preload(): void {
    const entry = this.#options.preload[this.#numbers.size];
    if (entry !== undefined) {
      this.load(entry);
      return;
    }
    this.#isUp = true;
    this.#owner.loaded(null);
  }

  /** From now on that has its time. */
  #begins(): void {
    const { loading } = this;
    if (loading === null) return;
    this.begun = true;
    const { startTimeout } = this.#options;
    this.#clock.endIn(startTimeout, () => loadTimeoutError(loading, startTimeout));
  }

  #loaded(module: number): void {
    if (this.loading !== null) this.#numbers.set(this.loading, module);
    this.loading = null;
    this.#clock.stop();
    if (this.#isUp) this.#owner.loaded(module);
    else this.#preload();
  }

  /** One that couldn't be loaded is tried again for the next call. */
  #failed(error: unknown): void {
    const entry = this.loading ?? 'a module';
    this.loading = null;
    this.#owner.notLoaded(entry, error);
  }
}
