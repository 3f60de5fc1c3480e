import type { BaseEvent } from './base-event.ts';
import type { EventResult } from './event-result.ts';
import { stackText } from '../basics/describe.ts';
import type { Logger } from '../basics/logger.ts';

/**
 * The seam for whatever watches a bus: write-ahead log, links, tracing, metrics.
 *
 * Called synchronously, in the order in which things happen. What an observer throws is logged and goes no further.
 */
export interface BusObserver {
  /** The bus has taken the event; no handler has begun. */
  dispatched?(event: BaseEvent): void;
  /** It is the event's turn on this bus. */
  started?(event: BaseEvent): void;
  /** A handler is about to be called, or the event to be forwarded. */
  handlerStarted?(event: BaseEvent, result: EventResult): void;
  /** A handler, or a forward, has a result or an error; one that was cancelled has perhaps never started. */
  handlerEnded?(event: BaseEvent, result: EventResult): void;
  /** The event is complete: all its handlers on every bus, and all its children. */
  completed?(event: BaseEvent): void;
  /** The bus was stopped; nothing more will be told. */
  stopped?(): void;
}

const none: readonly BusObserver[] = [];

/** The observers of one bus. While there are none, `active` is false and nobody needs to be told anything. */
export class Observers {
  readonly #logger: Logger;
  #observers: readonly BusObserver[] = none;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get active(): boolean {
    return this.#observers.length > 0;
  }

  /** @returns a function that takes it away again */
  add(observer: BusObserver): () => void {
    this.#observers = [...this.#observers, observer];
    return () => {
      this.#observers = this.#observers.filter((other) => other !== observer);
    };
  }

  // Each by itself: a function that says what to tell would be made for each event.

  dispatched(event: BaseEvent): void {
    for (const observer of this.#observers) {
      try {
        this.#told(observer.dispatched?.(event));
      } catch (error) {
        this.#log(error);
      }
    }
  }

  started(event: BaseEvent): void {
    for (const observer of this.#observers) {
      try {
        this.#told(observer.started?.(event));
      } catch (error) {
        this.#log(error);
      }
    }
  }

  handlerStarted(event: BaseEvent, result: EventResult): void {
    for (const observer of this.#observers) {
      try {
        this.#told(observer.handlerStarted?.(event, result));
      } catch (error) {
        this.#log(error);
      }
    }
  }

  handlerEnded(event: BaseEvent, result: EventResult): void {
    for (const observer of this.#observers) {
      try {
        this.#told(observer.handlerEnded?.(event, result));
      } catch (error) {
        this.#log(error);
      }
    }
  }

  completed(event: BaseEvent): void {
    for (const observer of this.#observers) {
      try {
        this.#told(observer.completed?.(event));
      } catch (error) {
        this.#log(error);
      }
    }
  }

  stopped(): void {
    for (const observer of this.#observers) {
      try {
        this.#told(observer.stopped?.());
      } catch (error) {
        this.#log(error);
      }
    }
  }

  /** @param outcome a promise, of an observer that is an async function */
  #told(outcome: unknown): void {
    if (outcome instanceof Promise) outcome.catch((error: unknown) => this.#log(error));
  }

  #log(error: unknown): void {
    this.#logger.error(`An observer threw: ${stackText(error)}`);
  }
}
