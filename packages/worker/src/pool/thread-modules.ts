import { maxModules, type ToThread } from './pool-port.ts';

/** The modules that a thread has loaded, and the one that it is loading. */
export class ThreadModules {
  /** What is being loaded, as URL; null if nothing is. */
  loading: string | null = null;
  /** The thread has said that it loads it. */
  begun = false;
  readonly #tell: (message: ToThread) => void;
  readonly #numbers = new Map<string, number>();
  #requested = 0;

  constructor(tell: (message: ToThread) => void) {
    this.#tell = tell;
  }

  get size(): number {
    return this.#numbers.size;
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

  loaded(module: number): void {
    if (this.loading !== null) this.#numbers.set(this.loading, module);
    this.loading = null;
  }

  /** One that couldn't be loaded is tried again for the next call. */
  failed(): void {
    this.loading = null;
  }
}
