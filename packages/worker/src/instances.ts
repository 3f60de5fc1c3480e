/** Objects that are there as long as somebody else has them. */
export class Instances {
  readonly #all = new Set<WeakRef<object>>();
  readonly #gone = new FinalizationRegistry<WeakRef<object>>((ref) => this.#all.delete(ref));

  add(it: object): void {
    const ref = new WeakRef(it);
    this.#all.add(ref);
    this.#gone.register(it, ref);
  }

  get all(): object[] {
    return [...this.#all].map((ref) => ref.deref()).filter((it) => it !== undefined);
  }
}

/** Of this thread, for those who measure them: they know what is in them (internal.ts). */
export const workerBuses: Instances = new Instances();
export const handlerPools: Instances = new Instances();
