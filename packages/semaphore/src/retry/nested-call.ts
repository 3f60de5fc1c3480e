import { isInside, type HeldSlot } from './held-slots.ts';

/** Whether the holder of a slot waits for a call that was made inside it. */
export class HolderWait {
  /** The slot that the call was made in. */
  readonly slot: HeldSlot;
  #isWaiting = false;
  #onWait: (() => void) | undefined;

  constructor(slot: HeldSlot) {
    this.slot = slot;
  }

  /** Calls back when the holder waits; at once if it does. */
  whenWaiting(callback: () => void): void {
    if (this.#isWaiting) callback();
    else this.#onWait = callback;
  }

  /** Someone waits: the holder, if it is called in its slot. */
  waits(): void {
    if (this.#isWaiting || !isInside(this.slot)) return;
    this.#isWaiting = true;
    this.#onWait?.();
    this.#onWait = undefined;
  }
}

type Taken<Value, Result> = ((value: Value) => Result | PromiseLike<Result>) | null | undefined;

/**
 * The promise of a call that was made inside a slot which it needs itself. It tells whether it is waited for.
 *
 * Of a promise whose constructor is not `Promise`, `await` and `Promise.all`, `race`, … call `then`, with two functions of
 * the engine. What else calls `then`, `catch` or `finally` wants to hear of the end, but does not wait for it: unless
 * somebody waits for the promise that it gets.
 */
export class NestedCall<Value> extends Promise<Value> {
  #wait: HolderWait | undefined;
  #plain: Promise<Value> | undefined;

  static of<Value>(plain: Promise<Value>, wait: HolderWait): NestedCall<Value> {
    // Its outcome is the plain one's, whose rejection is this one's to be handled.
    const call = new NestedCall<Value>((resolve) => resolve(plain));
    call.#wait = wait;
    call.#plain = plain;
    return call;
  }

  /** What comes of it is not of this class by itself: its constructor is called with other arguments. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a promise is one; this is about who calls it
  override then<Result = Value, Other = never>(
    taken?: Taken<Value, Result>,
    failed?: Taken<unknown, Other>,
  ): Promise<Result | Other> {
    const next = super.then(taken, failed);
    if (this.#wait === undefined) return next;
    if (!isOfEngine(taken) || !isOfEngine(failed)) return NestedCall.of(next, this.#wait);
    this.#wait.waits();
    return next;
  }

  override finally(ended?: (() => void) | null): Promise<Value> {
    // Its own `then` would look like a wait.
    if (this.#wait === undefined || this.#plain === undefined) return super.finally(ended);
    super.then(undefined, () => {});
    return NestedCall.of(this.#plain.finally(ended), this.#wait);
  }
}

/** The functions that settle a promise; those of users, also bound ones, have a name or a source. */
function isOfEngine(taken: unknown): boolean {
  return (
    typeof taken === 'function' &&
    taken.name === '' &&
    Function.prototype.toString.call(taken) === 'function () { [native code] }'
  );
}
