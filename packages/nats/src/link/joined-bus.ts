import type { Subscription, WaitOptions } from '@threadbus/core';
import { checkOptions, checkSignal, checkWait, describe, liveHandler } from '@threadbus/core/internal';
import { BusReference } from '@threadbus/link/internal';
import type { LinkEnd } from './link-end.ts';
import type { LinkStatus } from './liveness.ts';

/**
 * A bus in another process that was joined; to be used like an EventBus.
 *
 * `status` says whether it is heard of. Once it is `lost`, all that waits ends with a LinkLostError, `dispatch` throws
 * one, and this object stays lost: join again. It doesn't keep the process alive, a call under way does.
 *
 * @example
 * ```ts
 * await using index = await net.join(main, 'Index');
 * main.on(FileFound, index.dispatch);   // forward there
 * index.on('*', main.dispatch);         // and back
 * await main.dispatch(new FileFound({ path }));   // waits for the handlers over there too
 * ```
 */
export class JoinedBus extends BusReference implements AsyncDisposable {
  readonly #link: LinkEnd;

  private constructor(link: LinkEnd) {
    super(link.remote);
    this.#link = link;
  }

  /** @internal */
  static over(link: LinkEnd): JoinedBus {
    return new JoinedBus(link);
  }

  /** `suspect` after 3 s without a sign of life (a third of `unresponsiveTimeout`, if that is less); `lost` is final. */
  get status(): LinkStatus {
    return this.#link.status;
  }

  /** Resolves when the link is over, with the LinkLostError, or null if it was closed here. Never rejects. */
  get closed(): Promise<Error | null> {
    return this.#link.closed;
  }

  /** Events under way there, from here: sent, or waiting to be. */
  get inFlight(): number {
    return this.#link.remote.outgoing.size;
  }

  /** Why the bus takes no events any more; null while it does. */
  get failure(): Error | null {
    return this.#link.remote.failure;
  }

  /**
   * Calls the function with each new status.
   *
   * @returns ends it when called or disposed
   * @throws TypeError for what is no function
   * @example
   * ```ts
   * index.onStatus((status) => console.warn(`Index is ${status}`));
   * ```
   */
  onStatus(listener: (status: LinkStatus) => void): Subscription {
    if (typeof listener !== 'function') {
      throw new TypeError(`Expected onStatus to get a function; got ${describe(listener)}.`);
    }
    return this.#link.onStatus(listener);
  }

  /**
   * Waits until no event of the bus over there is incomplete, and none is on its way there.
   *
   * @returns false if the time was up first
   * @throws AwaitCycleError inside a handler that the bus over there waits for; LinkLostError; the signal's reason
   * @example
   * ```ts
   * if (!(await index.waitUntilIdle({ timeout: 10 }))) console.log(await index.logTree());
   * ```
   */
  async waitUntilIdle(options: WaitOptions = {}): Promise<boolean> {
    checkOptions('waitUntilIdle', options, ['timeout', 'signal']);
    checkSignal(options.signal);
    const timeout = checkWait('timeout (seconds)', options.timeout);
    if (liveHandler() !== null) return this.#busy(this.#link.remote.waitUntilIdle(timeout, options.signal));
    const end = timeout === null ? null : performance.now() + timeout * 1000;
    for (;;) {
      const left = end === null ? null : Math.max(0, (end - performance.now()) / 1000);
      if (!(await this.#ask(left, options.signal))) return false;
      // What waits on this side, or came since, is under way too.
      if (this.#link.remote.outgoing.size === 0) return true;
      if (left === 0) return false;
    }
  }

  /**
   * The tree of the events that the bus over there remembers, in bubus's format.
   *
   * @throws LinkLostError if it is lost before it answers
   * @example
   * ```ts
   * console.log(await index.logTree());
   * ```
   */
  async logTree(): Promise<string> {
    return this.#busy(this.#link.questions.ask('logTree', undefined));
  }

  /**
   * Ends this link; the bus over there lives on. What was sent still arrives; what waits here ends with a LinkError.
   *
   * @returns when the other side has all that was sent, or after two seconds
   * @throws nothing: it never rejects
   */
  close(): Promise<void> {
    return this.#link.close('the link was closed there');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** The far side keeps the time; one that is silent is ended here, a second later. */
  async #ask(timeout: number | null, signal: AbortSignal | undefined): Promise<boolean> {
    if (timeout === null) return this.#busy(this.#link.questions.ask('waitUntilIdle', null, signal));
    const late = AbortSignal.timeout(Math.ceil(timeout * 1000) + 1000);
    const either = signal === undefined ? late : AbortSignal.any([signal, late]);
    try {
      return await this.#busy(this.#link.questions.ask('waitUntilIdle', timeout, either));
    } catch (error) {
      if (late.aborted && signal?.aborted !== true) return false;
      throw error;
    }
  }

  async #busy<T>(answer: Promise<T>): Promise<T> {
    if (this.failure !== null) {
      answer.catch(() => undefined);
      throw this.failure;
    }
    this.#link.keepUp();
    try {
      return await answer;
    } finally {
      this.#link.keepUp();
    }
  }
}
