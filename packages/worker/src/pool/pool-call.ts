import { type BaseEvent, EventBus } from '@threadbus/core';
import { LinkError } from '@threadbus/link';
import { RemotePart } from '@threadbus/link/internal';
import { type HandlerRun, lifecycleOf, startTimer, type Timer } from '@threadbus/core/internal';

/** Seconds for a thread to answer that its handler was ended; then it is taken to be blocked, and killed. */
const grace = 0.2;
/** A call that was given to so many threads which all died before they took it fails. */
const maxThreadsLost = 3;

/** One handler run whose work is done in a pool thread. */
export class PoolCall {
  readonly event: BaseEvent;
  readonly run: HandlerRun;
  /** URL of the handler's module. */
  readonly entry: string;
  /** The bus that runs the handler. */
  readonly bus: EventBus;
  /** Whether the handler awaits an event, so that its thread has nothing to do. */
  awaiting = false;
  #taken = false;
  #threadsLost = 0;

  /** @throws LinkError if the run's bus is elsewhere */
  constructor(event: BaseEvent, run: HandlerRun, entry: string) {
    const { bus } = run;
    if (!(bus instanceof EventBus)) {
      throw new LinkError(
        `A pool's handler must be registered on an EventBus of the pool's own thread; ${bus.name} is elsewhere.`,
      );
    }
    this.event = event;
    this.run = run;
    this.entry = entry;
    this.bus = bus;
  }

  get handlerName(): string {
    return this.run.entry.source.handlerName;
  }

  /** A thread has taken it: its time starts. */
  take(): void {
    this.#taken = true;
    this.run.startClock();
  }

  /** Its thread has died. @returns whether another may have it, because this one had not taken it */
  loseThread(): boolean {
    this.#threadsLost += 1;
    return !this.#taken && !this.run.runner.settled && this.#threadsLost < maxThreadsLost && !this.#moved;
  }

  /** Calls `kill` if the handler is ended and its thread doesn't answer that. @returns takes that back, for once it has */
  watch(kill: () => void): () => void {
    let timer: Timer | null = null;
    const unwatch = this.run.whenAborted(() => {
      timer = startTimer(grace, kill, true);
    });
    return () => {
      unwatch();
      timer?.cancel();
    };
  }

  /** Its buffers went to a thread: it can't be sent again. */
  get #moved(): boolean {
    for (const part of lifecycleOf(this.event).parts) if (part instanceof RemotePart && part.moved) return true;
    return false;
  }
}
