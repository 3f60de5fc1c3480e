import type { BaseEvent, StuckFrame } from '@threadbus/core';
import {
  abortedError,
  type BusIdentity,
  cancelledError,
  type EventConstructor,
  fromEpoch,
  HandlerTimeoutError,
  type ThreadPlace,
} from '@threadbus/core/internal';
import type { HasRun, RemotePart } from '@threadbus/link/internal';
import type { BoardReader, Holder } from './board.ts';
import { WorkerCrashedError } from '../errors.ts';
import { monotonic } from './monotonic.ts';
import { sayStuckAt } from './stuck-at.ts';

/** How often an idempotent event is started before it counts as the cause of the crashes. */
const maxAttempts = 3;

/** How a thread was lost. */
export interface Loss {
  readonly error: WorkerCrashedError;
  /** The handler that blocked it; null if it wasn't killed for that. */
  readonly guilty: Holder | null;
  /** What the thread has last shown. */
  readonly board: BoardReader;
  /** Where it was when it was ended; null if that isn't known. */
  readonly stuckAt: readonly StuckFrame[] | null;
  /** The thread itself. */
  readonly place: ThreadPlace;
}

/** An event that ends with its thread. */
interface LostPart {
  readonly part: RemotePart;
  readonly error: Error;
  /** Undefined if no handler had started. */
  readonly run: HasRun | undefined;
}

/** What becomes of the events that a lost thread had. */
export interface Fates {
  /** They go to the replacement. */
  readonly again: readonly RemotePart[];
  /** They end, each with its error. */
  readonly lost: readonly LostPart[];
}

/** What a log says of it. @param born events that the thread itself had dispatched */
export function lossText(error: Error, { again, lost }: Fates, born: number): string {
  const failed = `${lost.length} ${lost.length === 1 ? 'event' : 'events'} under way failed with it`;
  return `${error.message}: ${failed}, ${again.length} go to its replacement, ${born} that were dispatched there ended.`;
}

/**
 * Decides which events of a lost thread are sent to its replacement: those that hadn't started there, and those whose
 * class says that they may start twice.
 */
export class LossSorter {
  readonly #bus: Readonly<BusIdentity>;
  readonly #attempts = new WeakMap<RemotePart, number>();

  constructor(bus: Readonly<BusIdentity>) {
    this.#bus = bus;
  }

  sort(parts: readonly RemotePart[], loss: Loss): Fates {
    const again: RemotePart[] = [];
    const lost: LostPart[] = [];
    const guilty = this.#guilty(parts, loss);
    for (const part of parts) {
      const error = this.#errorOf(part, loss, guilty);
      if (error === null) again.push(part);
      else lost.push({ part, error, run: this.#run(part, loss) });
    }
    for (const part of parts) part.number = -1;
    return { again, lost };
  }

  #guilty(parts: readonly RemotePart[], { guilty, board }: Loss): ReadonlySet<BaseEvent> {
    if (guilty === null) return new Set();
    const suspects = parts.filter(({ number }) =>
      guilty.kind === 'several' ? board.isRunning(number) : guilty.kind === 'own' && number === guilty.slot,
    );
    return new Set(suspects.map(({ event }) => event));
  }

  /** @returns null if the part goes to the replacement */
  #errorOf(part: RemotePart, { error, board, stuckAt }: Loss, guilty: ReadonlySet<BaseEvent>): Error | null {
    const { event, cancelCause } = part;
    const started = board.hasStarted(part.number);
    if (cancelCause !== null) return (started ? abortedError : cancelledError)(part.place, cancelCause.reason);
    if (guilty.has(event)) return sayStuckAt(this.#overrun(event), stuckAt);
    if (part.moved) return this.#moved(event, error);
    if (!started) return null;
    const attempts = (this.#attempts.get(part) ?? 0) + 1;
    this.#attempts.set(part, attempts);
    const { definition } = event.constructor as EventConstructor;
    return definition.idempotent && attempts < maxAttempts ? null : error;
  }

  /** When it started is known of the one that was on the processor last; of others, that they had. */
  #run({ number }: RemotePart, { board, guilty, place: ranIn }: Loss): HasRun | undefined {
    if (!board.hasStarted(number)) return undefined;
    const holder = guilty ?? board.holder();
    const isIts = holder !== null && holder.kind === 'own' && holder.slot === number;
    const ago = isIts ? monotonic() * 1000 - holder.startedAt : 0;
    return { startedAt: fromEpoch(Date.now() - ago), ranIn };
  }

  #overrun(event: BaseEvent): HandlerTimeoutError {
    const timeout = event.event_timeout ?? 0;
    return new HandlerTimeoutError(
      `A handler of ${this.#text(event)} timed out after ${timeout}s and blocked its thread, which was ended. Give the event more time (event_timeout), or let the handler do its work in pieces.`,
      this.#place(event),
      timeout,
    );
  }

  #moved(event: BaseEvent, cause: Error): WorkerCrashedError {
    return new WorkerCrashedError(
      `${cause.message}. ${event.event_type} can't be sent to the replacement: its buffers were transferred, and went with the thread.`,
      this.#place(event),
      { cause },
    );
  }

  #text({ event_type, event_id }: BaseEvent): string {
    return `${this.#bus.name} for ${event_type}#${event_id.slice(-4)}`;
  }

  #place({ event_type, event_id }: BaseEvent): {
    busName: string;
    handlerName: string;
    eventType: string;
    eventId: string;
  } {
    return { busName: this.#bus.name, handlerName: 'dispatch', eventType: event_type, eventId: event_id };
  }
}

/** What a thread has done that was ended for one handler. */
export function blockedText({ timeout }: Holder, overrun: boolean): string {
  const time = timeout === 0 ? '' : ` (${Math.round(timeout * 1000) / 1000} s)`;
  const why = overrun ? `by a handler past its time${time}` : 'by a handler after it was cancelled';
  return `was blocked ${why}, and was ended`;
}
