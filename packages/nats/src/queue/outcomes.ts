import { type BaseEvent, type EventConstructor, TimeoutError } from '@threadbus/core';
import { NatsUnavailableError, QueueUnavailableError } from '../basics/errors.ts';
import { checkOptions, checkSignal, checkWait, startTimer, type Timer, whenAborted } from '@threadbus/core/internal';
import { decodeOutcome } from './stored-outcome.ts';
import type { QueueStore } from './queue-store.ts';
import type { Replies, Reply } from './replies.ts';

/** Options of a wait for what becomes of an event. */
export interface CompletedOptions {
  /** Seconds to wait. @default no limit */
  readonly timeout?: number | null | undefined;
  /** Ends the wait with its reason. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** Seconds after which a reply is not waited for alone any more. */
const replyGrace = 2;
/** Seconds until the store is asked again that could not answer. */
const lookPause = 0.5;
/** The same if there was nothing: what is told meanwhile may be lost between two servers of a cluster. */
const secondLook = 30;

/**
 * What became of events: stored by whoever ran them, and told as it is stored.
 *
 * A wait listens first and then looks into the store: so it misses nothing. For an event that was stored with this
 * process's address it only listens. Should the reply be lost, for instance in a cluster whose servers had not heard
 * of the listener yet, a look into the store after a while finds what came before, and a subscription to the result
 * what comes then.
 */
export class Outcomes {
  readonly #store: QueueStore;
  readonly #replies: Replies;

  constructor(store: QueueStore, replies: Replies) {
    this.#store = store;
    this.#replies = replies;
  }

  /**
   * @param from the event's sequence: an outcome of an earlier one of the same id doesn't count
   * @param reply where it will be heard of, if it will
   * @throws TimeoutError, the signal's reason
   */
  async of(eventId: string, from: number, options: CompletedOptions, reply: Reply | null): Promise<BaseEvent> {
    checkOptions('completed', options, ['timeout', 'signal']);
    checkSignal(options.signal);
    const timeout = checkWait('timeout (seconds)', options.timeout);
    const { signal } = options;
    signal?.throwIfAborted();
    const { jetstream, results, name } = this.#store;
    const { broker } = jetstream;
    broker.checkOpen();
    const subject = this.#store.resultSubject(eventId);
    const ends: (() => void)[] = [];
    let isOver = false;
    this.#replies.begin();
    try {
      return await broker.keepAlive.during(
        () =>
          new Promise<BaseEvent>((resolve, reject) => {
            const take = (data: Uint8Array): void => {
              try {
                const { sequence, event } = decodeOutcome(data, (type) => this.#classOf(type));
                if (sequence >= from) resolve(event);
              } catch (error) {
                reject(new Error(`What became of ${eventId} in the queue ${name} can't be read.`, { cause: error }));
              }
            };
            let pause: Timer | null = null;
            ends.push(() => pause?.cancel());
            const lookIn = (seconds: number): void => {
              pause?.cancel();
              if (!isOver) pause = startTimer(seconds, lookAgain, false);
            };
            // A store that can't answer, in a cluster that chooses who leads it for instance, has not said that there is none.
            const look = async (): Promise<void> => {
              const stored = await jetstream.lastOf(results, subject);
              if (stored !== null) take(stored.data);
              else if ((await jetstream.stream(this.#store.events)) !== null) lookIn(secondLook);
              else reject(new QueueUnavailableError(`The queue ${name} was deleted.`, name));
            };
            const lookAgain = (): void => void look().catch(() => lookIn(lookPause));
            const follow = (): void => {
              ends.push(broker.subscribe(subject, ({ data }) => take(data)));
              void broker.flush().then(lookAgain, lookAgain);
            };
            ends.push(
              broker.watch({
                restored: lookAgain,
                closed: () => reject(new NatsUnavailableError('The net was closed.')),
              }),
            );
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
            if (reply === null) {
              follow();
            } else {
              const grace = startTimer(replyGrace, follow, false);
              ends.push(reply.listen(take), () => grace.cancel());
            }
          }),
      );
    } finally {
      isOver = true;
      for (const end of ends) end();
    }
  }

  #classOf(type: string): EventConstructor | undefined {
    return this.#store.options.classes.get(type);
  }
}
