/** What costs a watch and a file as long as it is open. */
interface Closable {
  close(): void;
}

const LONGEST = 16;
/** Who uses a name again within so long finds it open. */
const REST_MS = 1000;

/** Semaphores that nobody in this thread uses now. Each costs a watch and a file, so few of them stay open, and briefly. */
export class IdleFolders {
  /** Since when, the longest first. */
  readonly #resting = new Map<Closable, number>();
  #timer: NodeJS.Timeout | undefined;

  use(folder: Closable): void {
    this.#resting.delete(folder);
  }

  rest(folder: Closable): void {
    this.#resting.delete(folder);
    this.#resting.set(folder, performance.now());
    if (this.#resting.size > LONGEST) this.#closeFirst();
    this.#tidyLater();
  }

  #tidyLater(): void {
    if (this.#timer !== undefined || this.#resting.size === 0) return;
    this.#timer = setTimeout(() => this.#tidy(), REST_MS).unref();
  }

  #tidy(): void {
    this.#timer = undefined;
    const before = performance.now() - REST_MS;
    for (const since of this.#resting.values()) {
      if (since > before) break;
      this.#closeFirst();
    }
    this.#tidyLater();
  }

  #closeFirst(): void {
    for (const folder of this.#resting.keys()) {
      this.#resting.delete(folder);
      folder.close();
      break;
    }
  }
}

export const idleFolders: IdleFolders = new IdleFolders();
