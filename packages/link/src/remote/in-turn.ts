/** Takes one thing at a time: what comes while another is being taken is taken after it. */
export class InTurn<T> {
  readonly #take: (each: T) => void;
  readonly #waiting: T[] = [];
  #taking = false;

  constructor(take: (each: T) => void) {
    this.#take = take;
  }

  add(each: T): void {
    if (this.#taking) {
      this.#waiting.push(each);
      return;
    }
    this.#taking = true;
    try {
      this.#take(each);
      while (this.#waiting.length > 0) this.#take(this.#waiting.shift() as T);
    } finally {
      this.#taking = false;
    }
  }
}
