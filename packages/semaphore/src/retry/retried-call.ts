import type { Deadlines } from '../basics/deadlines.ts';
import { SemaphoreTimeoutError } from '../basics/errors.ts';
import { poolIdentity } from '../basics/pool-identity.ts';
import { delay, shown } from '../basics/seconds.ts';
import type { SlotPool } from '../basics/slot-pool.ts';
import type { RateLimit, Start } from '../rate/rate-limit.ts';
import { Attempt, isLost, runAttempt } from './attempt.ts';
import { backoff } from './backoff.ts';
import { CallStop } from './call-stop.ts';
import { runInside, slotOfChain, type HeldSlot } from './held-slots.ts';
import { HolderWait, NestedCall } from './nested-call.ts';
import type { ResolvedRetryOptions } from './resolve-options.ts';
import { noteAttempts } from './retry-attempts.ts';
import { described, log } from './retry-log.ts';
import { isKnownToBeRetried, isRetried } from './retry-on.ts';
import { poolOf, rateOf, type Counted } from './scope.ts';
import { takeSlot } from './take-slot.ts';

/** A function that `retry` has wrapped. */
export interface RetriedFunction {
  /** Its own name, for messages. */
  readonly name: string;
  /** Tells it from every other function, in all threads; empty if nothing needs it. */
  readonly key: string;
  /** Of the attempts of all its calls; if there is a `timeout`. */
  readonly deadlines: Deadlines | undefined;
  readonly run: (this: unknown, ...args: readonly unknown[]) => unknown;
}

/**
 * One call of a wrapped function. In this order: its name is asked for; a slot; then, for each attempt, a start under the
 * rate limit and the attempt; after one that failed the questions whether there is to be another, and the wait for it.
 * What ends the call from outside ends whichever of these is under way. However it ends, the slot is given back.
 */
export class RetriedCall {
  readonly #options: ResolvedRetryOptions;
  readonly #fn: RetriedFunction;
  readonly #self: unknown;
  readonly #args: readonly unknown[];
  readonly #stop: CallStop | undefined;
  readonly #started = performance.now();
  #pool: SlotPool | undefined;
  #rate: RateLimit | undefined;
  #slot: HeldSlot | undefined;
  #start: Start | undefined;
  /** How long it waited for its slot, in seconds. */
  #waited = 0;
  /** Attempts begun. */
  #attempt = 0;
  /** What the last attempt failed with. */
  #last: { readonly error: unknown } | undefined;

  constructor(options: ResolvedRetryOptions, fn: RetriedFunction, self: unknown, args: readonly unknown[]) {
    this.#options = options;
    this.#fn = fn;
    this.#self = self;
    this.#args = args;
    this.#stop = CallStop.of(options.signal, signalOf(args), options.totalTimeout);
  }

  start(): Promise<unknown> {
    try {
      this.#stop?.signal.throwIfAborted();
      this.#find();
    } catch (error) {
      this.#stop?.close();
      return Promise.reject(noteAttempts(error as Error, 0));
    }
    const outer = this.#pool && slotOfChain(poolIdentity(this.#pool));
    if (outer === undefined) return this.#run(undefined);
    const wait = new HolderWait(outer);
    return NestedCall.of(this.#run(wait), wait);
  }

  /** What it is counted with. */
  #find(): void {
    const { semaphore, rate, scope, directory, semaphoreName } = this.#options;
    this.#pool = semaphore?.pool;
    if (rate === undefined && (semaphore === undefined || this.#pool !== undefined)) return;
    const name = typeof semaphoreName === 'function' ? this.#askName(semaphoreName) : semaphoreName;
    const { name: functionName, key: functionKey } = this.#fn;
    const counted: Counted = { scope, directory, name, functionName, functionKey, self: this.#self };
    if (semaphore !== undefined) this.#pool ??= poolOf(semaphore.limit, counted);
    if (rate !== undefined) this.#rate = rateOf(rate, counted);
  }

  #askName(semaphoreName: (...args: never[]) => string): string {
    const name: unknown = Reflect.apply(semaphoreName, this.#self, this.#args);
    if (typeof name === 'string' && name !== '') return name;
    throw new TypeError(`Expected \`semaphoreName\` to give a text that is not empty, got ${shown(name)}.`);
  }

  async #run(wait: HolderWait | undefined): Promise<unknown> {
    try {
      for (;;) {
        const needsSlot = this.#pool !== undefined && (this.#attempt === 0 || isLost(this.#slot?.lease));
        // A promise for nothing, and a turn of the queue, are most of what a call costs that does not fail.
        if (needsSlot || this.#rate !== undefined) await this.#prepare(needsSlot, wait);
        this.#attempt++;
        const attempt = new Attempt(this.#attempt, this.#slot?.lease ?? null);
        try {
          return await this.#runAttempt(attempt);
        } catch (error) {
          attempt.tell();
          this.#last = { error };
        }
        await this.#beforeNext(this.#last.error);
      }
    } catch (error) {
      throw noteAttempts(error, this.#attempt);
    } finally {
      this.#stop?.close();
      if (this.#slot !== undefined) await this.#slot.leave();
    }
  }

  /** A slot, if it has none any more, and a start. */
  async #prepare(needsSlot: boolean, wait: HolderWait | undefined): Promise<void> {
    const { semaphore } = this.#options;
    try {
      if (needsSlot && semaphore !== undefined && this.#pool !== undefined) {
        const began = performance.now();
        await this.#slot?.leave();
        this.#slot = undefined;
        this.#slot = await takeSlot(this.#pool, semaphore, this.#stop, wait);
        this.#waited += (performance.now() - began) / 1000;
        if (this.#slot === undefined) this.#noSlot(this.#pool, semaphore.timeout ?? 0, semaphore.isLax);
      }
    } catch (error) {
      throw this.#stop?.isTimeUp === true ? this.#timeUp('slot') : error;
    }
    try {
      this.#start = await this.#rate?.start(this.#stop?.signal);
    } catch (error) {
      throw this.#stop?.isTimeUp === true ? this.#timeUp('start') : error;
    }
  }

  /** The wait for a slot was in vain. */
  #noSlot(pool: SlotPool, timeout: number, isLax: boolean): void {
    if (!isLax) throw this.#slotTimeout(pool, timeout);
    const { logger } = this.#options;
    log(
      logger,
      'warn',
      `Failed to acquire semaphore "${pool.name}" after ${timeout.toFixed(1)}s, proceeding without concurrency limit`,
      { attempt: this.#attempt + 1, function: this.#fn.name },
    );
  }

  /** The time of the whole call was up while it waited. */
  #timeUp(waitedFor: 'slot' | 'start'): unknown {
    if (this.#last !== undefined) return this.#last.error;
    const timeout = this.#options.totalTimeout ?? 0;
    if (waitedFor === 'slot' && this.#pool !== undefined) return this.#slotTimeout(this.#pool, timeout);
    const { scope, rate, semaphoreName } = this.#options;
    const name = typeof semaphoreName === 'string' ? semaphoreName : this.#fn.name;
    return new SemaphoreTimeoutError({ name, limit: rate?.limit ?? 0, timeout, scope: shortScope(scope), waitedFor });
  }

  #slotTimeout({ name, limit }: SlotPool, timeout: number): SemaphoreTimeoutError {
    const { scope, timeout: attemptTimeout } = this.#options;
    return new SemaphoreTimeoutError({ name, limit, timeout, scope: shortScope(scope), attemptTimeout });
  }

  #runAttempt(attempt: Attempt): unknown {
    const { name, deadlines } = this.#fn;
    const ends = { name, deadlines, totalTimeout: this.#options.totalTimeout, stop: this.#stop, before: this.#last };
    try {
      return runAttempt(attempt, ends, () => runInside(attempt, this.#slot, this.#called));
    } finally {
      this.#start?.done();
    }
  }

  /** Calls the function, in its slot. */
  readonly #called = (): unknown => {
    this.#start?.begin();
    const value: unknown = Reflect.apply(this.#fn.run, this.#self, this.#args);
    if (typeof value !== 'object' || value === null || (value as PromiseLike<unknown>).constructor === Promise)
      return value;
    return awaitedInside(value);
  };

  /** Returns when it is time for another attempt; throws the error that the call ends with, if there is to be none. */
  async #beforeNext(error: unknown): Promise<void> {
    const { retries, retryOn, shouldRetry, onRetry } = this.#options;
    const attempt = this.#attempt;
    if (this.#stop?.signal.aborted === true) throw error;
    if (attempt > retries) {
      if (isKnownToBeRetried(error, retryOn) !== false) this.#logExhausted(error);
      throw error;
    }
    try {
      if (!(await this.#asked(isRetried(error, retryOn)))) throw error;
      if (shouldRetry !== undefined && !(await this.#asked(shouldRetry(error, { attempt })))) throw error;
      const wait = backoff(this.#options, attempt, error);
      // A wait that can't end in time is not begun.
      if (this.#stop !== undefined && this.#stop.timeLeft <= wait) throw error;
      if (onRetry !== undefined) await this.#asked(onRetry({ error, attempt, wait }));
      if (attempt === retries) this.#logLastWait(error, wait);
      await this.#pause(wait);
    } catch (reason) {
      throw this.#stop?.isTimeUp === true ? error : reason;
    }
  }

  /** What a function of the user's gave; the call may end before it is settled. */
  async #asked<Value>(answer: Value | PromiseLike<Value>): Promise<Value> {
    const isLater = typeof answer === 'object' && answer !== null && 'then' in answer;
    if (!isLater || this.#stop === undefined) return await answer;
    this.#stop.signal.throwIfAborted();
    return await this.#stop.race(answer);
  }

  async #pause(wait: number): Promise<void> {
    await delay(wait, this.#stop?.signal);
  }

  #logLastWait(error: unknown, wait: number): void {
    const { logger, retries } = this.#options;
    const attempt = this.#attempt;
    const { name } = this.#fn;
    const which = `${name} failed (attempt ${attempt}/${retries + 1})`;
    const message = `${which}: ${described(error).replace(/\.$/, '')}. Waiting ${wait.toFixed(1)}s before retry...`;
    log(logger, 'warn', message, { err: error, attempt, function: name });
  }

  #logExhausted(error: unknown): void {
    const { logger } = this.#options;
    const attempt = this.#attempt;
    const { name } = this.#fn;
    const took = ((performance.now() - this.#started) / 1000 - this.#waited).toFixed(1);
    const slot = this.#pool === undefined ? '' : `Semaphore wait: ${this.#waited.toFixed(1)}s. `;
    const message = `${name} failed after ${attempt} attempts over ${took}s. ${slot}Final error: ${described(error)}`;
    log(logger, 'error', message, { err: error, attempt, function: name });
  }
}

/** Awaited in the call's own async context: it may be a call that needs the slot, and hears from where it is waited for. */
async function awaitedInside(value: unknown): Promise<unknown> {
  return await value;
}

const shortScope = (scope: ResolvedRetryOptions['scope']): 'local' | 'global' | 'multiprocess' =>
  scope === 'global' || scope === 'multiprocess' ? scope : 'local';

/** A bus handler gets its signal in the last argument, and so may any function. */
function signalOf(args: readonly unknown[]): AbortSignal | undefined {
  const last = args.at(-1);
  if (typeof last !== 'object' || last === null || !('signal' in last)) return undefined;
  return last.signal instanceof AbortSignal ? last.signal : undefined;
}
