import type { BaseEvent } from '@threadbus/core';
import type { Stored } from './enqueuing.ts';
import type { CompletedOptions, Outcomes } from './outcomes.ts';
import type { Reply } from './replies.ts';

/** That an event is stored. @example const { sequence, duplicate } = await jobs.enqueue(new Resize({ url })); */
export class Receipt<Event extends BaseEvent = BaseEvent> {
  /** Of the event among those of the queue; of a duplicate, that of the first. */
  readonly sequence: number;
  /** The event was in the queue already: it is not stored twice. */
  readonly duplicate: boolean;
  readonly #eventId: string;
  readonly #reply: Reply | null;
  readonly #outcomes: Outcomes;

  /** @internal */
  constructor({ ack, reply }: Stored, eventId: string, outcomes: Outcomes) {
    this.sequence = ack.sequence;
    this.duplicate = ack.duplicate;
    this.#eventId = eventId;
    this.#reply = reply;
    this.#outcomes = outcomes;
  }

  /**
   * Waits until the event has been run, or is in the dead letters.
   *
   * @returns the event with its results, the last errors included: it doesn't reject for them
   * @throws TimeoutError; the signal's reason
   * @example
   * ```ts
   * const event = await receipt.completed({ timeout: 60 });
   * console.log(await event.eventResult());
   * ```
   */
  completed(options: CompletedOptions = {}): Promise<Event> {
    return this.#outcomes.of(this.#eventId, this.sequence, options, this.#reply) as Promise<Event>;
  }
}
