import { AsyncResource } from 'node:async_hooks';
import type { BaseEvent } from '../event/base-event.ts';
import { type checkEventsOptions, EventStream } from './event-stream.ts';
import { matchesType } from '../event/type-pattern.ts';
import { startTimer } from '../basics/timer.ts';
import { whenAborted } from '../basics/when-aborted.ts';

/** What an expectation is for and how it ends. */
export interface ExpectationOptions {
  /** A type, or '*'. */
  readonly pattern: string;
  /** May throw, which ends this expectation and nothing else. */
  readonly matches: (event: BaseEvent) => boolean;
  /** Seconds; null = no limit. */
  readonly timeout: number | null;
  readonly signal: AbortSignal | undefined;
  readonly onTimeout: (timeout: number) => Error;
}

/** Options of `expect`. */
export interface ExpectOptions<E extends BaseEvent = BaseEvent> {
  /** Only events for which it returns true. @default all */
  readonly include?: ((event: E) => boolean) | undefined;
  /** Never events for which it returns true, whatever `include` says. @default none */
  readonly exclude?: ((event: E) => boolean) | undefined;
  /** Like `include`; both must agree. @default all */
  readonly predicate?: ((event: E) => boolean) | undefined;
  /** Limit in seconds; 0 = fail at once. @default none */
  readonly timeout?: number | null | undefined;
  /** Ends the wait with the signal's reason. @default none */
  readonly signal?: AbortSignal | undefined;
}

interface Expectation {
  readonly pattern: string;
  offer(event: BaseEvent): void;
  refuse(error: Error): void;
}

/** Those who wait for an event to be dispatched to the bus. */
export class Expectations {
  #waiting: Set<Expectation> | null = null;

  get size(): number {
    return this.#waiting?.size ?? 0;
  }

  /** Waits for the next event that matches; registered before the call returns. */
  add({ pattern, matches, timeout, signal, onTimeout }: ExpectationOptions): Promise<BaseEvent> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (timeout === 0) return Promise.reject(onTimeout(0));
    // Filters belong to whoever waits: they see that one's async context, not the dispatcher's.
    const context = new AsyncResource('threadbus.expectation');
    const waiting = (this.#waiting ??= new Set());
    return new Promise((resolve, reject) => {
      const end = (): void => {
        waiting.delete(expectation);
        timer?.cancel();
        stopListening?.();
      };
      const expectation: Expectation = {
        pattern,
        offer: (event) => {
          try {
            if (!context.runInAsyncScope(matches, undefined, event)) return;
            end();
            resolve(event);
          } catch (error) {
            expectation.refuse(error as Error);
          }
        },
        refuse: (error) => {
          end();
          reject(error);
        },
      };
      const onAbort = (): void => expectation.refuse(signal?.reason as Error);
      const stopListening = signal === undefined ? null : whenAborted(signal, onAbort);
      const timer = timeout === null ? null : startTimer(timeout, () => expectation.refuse(onTimeout(timeout)), true);
      waiting.add(expectation);
    });
  }

  /** Passes every event that matches to the stream, until that ends. */
  addStream<E extends BaseEvent>(
    pattern: string,
    busName: string,
    options: ReturnType<typeof checkEventsOptions>,
  ): EventStream<E> {
    const waiting = (this.#waiting ??= new Set());
    const stream = new EventStream<E>(busName, options, () => waiting.delete(expectation));
    const expectation: Expectation = {
      pattern,
      offer: (event) => stream.push(event as E),
      refuse: () => stream.end(),
    };
    if (!stream.ended) waiting.add(expectation);
    return stream;
  }

  /** An event was dispatched: everyone who waits for such a one gets it. */
  offer(event: BaseEvent): void {
    for (const expectation of [...(this.#waiting ?? [])]) {
      if (matchesType(expectation.pattern, event.event_type)) expectation.offer(event);
    }
  }

  refuseAll(error: Error): void {
    for (const expectation of [...(this.#waiting ?? [])]) expectation.refuse(error);
  }
}
