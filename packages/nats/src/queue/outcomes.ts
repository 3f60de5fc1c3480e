import { type BaseEvent, type EventConstructor, TimeoutError } from '@threadbus/core';
import { checkOptions, checkSignal, checkWait, startTimer, whenAborted } from '@threadbus/core/internal';
import { decodeOutcome } from './stored-outcome.ts';
import type { QueueStore } from './queue-store.ts';

/** Options of a wait for what becomes of an event. */
export interface CompletedOptions {
  /** Seconds to wait. @default no limit */
  readonly timeout?: number | null | undefined;
  /** Ends the wait with its reason. @default none */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What became of events: stored by whoever ran them, and told as it is stored.
 *
 * A wait listens first and then looks into the store: so it misses nothing.
 */
export class Outcomes {
  readonly #store: QueueStore;

  constructor(store: QueueStore) {
    this.#store = store;
  }

  /**
   * @param from the event's sequence: an outcome of an earlier one of the same id doesn't count
   * @throws TimeoutError, the signal's reason
   */
  async of(eventId: string, from: number, options: CompletedOptions): Promise<BaseEvent> {
    checkOptions('completed', options, ['timeout', 'signal']);
    checkSignal(options.signal);
    const timeout = checkWait('timeout (seconds)', options.timeout);
    const { signal } = options;
    signal?.throwIfAborted();
    const { jetstream, results, name } = this.#store;
    const { broker } = jetstream;
    const subject = this.#store.resultSubject(eventId);
    const ends: (() => void)[] = [];
    try {
      return await broker.keepAlive.during(
        () =>
          new Promise<BaseEvent>((resolve, reject) => {
            const take = (data: Uint8Array): void => {
              const { sequence, event } = decodeOutcome(data, (type) => this.#classOf(type));
              if (sequence >= from) resolve(event);
            };
            const look = async (): Promise<void> => {
              const stored = await jetstream.lastOf(results, subject);
              if (stored !== null) take(stored.data);
            };
            const lookAgain = (): void => void look().catch(() => undefined);
            ends.push(broker.subscribe(subject, ({ data }) => take(data)));
            ends.push(broker.watch({ restored: lookAgain, closed: () => reject(new Error('The net was closed.')) }));
            if (signal !== undefined) ends.push(whenAborted(signal, () => reject(signal.reason as Error)));
            if (timeout !== null) {
              const late = (): void =>
                reject(
                  new TimeoutError(
                    `${eventId} in the queue ${name} was not complete within ${timeout} s.`,
                    { eventId },
                    timeout,
                  ),
                );
              const timer = startTimer(timeout, late, false);
              ends.push(() => timer.cancel());
            }
            void broker.flush().then(lookAgain, lookAgain);
          }),
      );
    } finally {
      for (const end of ends) end();
    }
  }

  #classOf(type: string): EventConstructor | undefined {
    return this.#store.options.classes.get(type);
  }
}
