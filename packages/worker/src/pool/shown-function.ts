import type { BaseEvent, HandlerContext } from '@threadbus/core';
import type { AnyHandler } from '@threadbus/core/internal';
import type { Desk } from './desk.ts';

/**
 * The function of a call, as the desk shows it: called, ended, and *returned* when the answer has been written, as what
 * it gives may block the thread, too, when that is read; or when it has ended, if the answer waits for events first. One
 * that was cancelled may go on for long.
 */
export class ShownFunction {
  /** What is called in place of it. */
  readonly handler: AnyHandler;
  readonly #desk: Desk;
  readonly #call: number;
  #goesOn = false;
  /** What it has promised. */
  #outcome: Promise<unknown> | null = null;

  constructor(handler: AnyHandler, desk: Desk, call: number) {
    this.#desk = desk;
    this.#call = call;
    this.handler = (event: BaseEvent, context: HandlerContext): unknown => {
      this.#goesOn = true;
      desk.functionCalled();
      const outcome = handler(event, context);
      if (outcome instanceof Promise) this.#outcome = outcome;
      return outcome;
    };
  }

  settled(how: 'answers' | 'waits' | 'cancelled'): void {
    const ended = (): void => this.#ended();
    // To ask a promise for its end costs, so that it is done for few.
    if (how === 'cancelled' && this.#outcome !== null) this.#outcome.then(ended, ended);
    else this.#ended();
    if (how === 'waits') this.#desk.returned(this.#call);
  }

  /** The call's answer has been written. */
  answered(): void {
    if (!this.#goesOn) this.#desk.returned(this.#call);
  }

  #ended(): void {
    if (!this.#goesOn) return;
    this.#goesOn = false;
    this.#desk.functionEnded();
  }
}
