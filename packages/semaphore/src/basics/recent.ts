/** How many are kept that nobody uses. */
const KEPT = 1000;

/**
 * What was used last, by key. Those that are idle are forgotten from the longest unused on, so that names used once,
 * one after the other, cost nothing for ever.
 */
export class Recent<Value extends { readonly isIdle: boolean }> {
  readonly #values = new Map<string, Value>();
  readonly #onForget: (value: Value) => void;

  constructor(onForget: (value: Value) => void = () => {}) {
    this.#onForget = onForget;
  }

  get(key: string, make: () => Value): Value {
    let value = this.#values.get(key);
    if (value === undefined) {
      if (this.#values.size >= KEPT) this.#forget();
      value = make();
    } else {
      this.#values.delete(key);
    }
    this.#values.set(key, value);
    return value;
  }

  values(): Iterable<Value> {
    return this.#values.values();
  }

  /** A tenth at a time: so it is looked for them seldom, even if all others are in use. */
  #forget(): void {
    let left = KEPT / 10;
    for (const [key, value] of this.#values) {
      if (left-- === 0) break;
      this.#values.delete(key);
      if (value.isIdle) this.#onForget(value);
      else this.#values.set(key, value);
    }
  }
}
