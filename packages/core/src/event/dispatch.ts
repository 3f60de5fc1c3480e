import { types } from 'node:util';
import type { MessagePort } from 'node:worker_threads';
import { describe } from '../basics/describe.ts';
import { EventStateError } from '../basics/errors.ts';
import type { Hint, TakeEvent } from '../basics/hint.ts';
import { showAs } from '../basics/inspect.ts';
import { checkFlag, checkOptions, checkSignal } from '../basics/options.ts';
import { type CompletionOptions, thenCompleted } from './completion.ts';
import { lifecycleOf, ResultHelpers, type ResultOf } from './result-helpers.ts';

/** An event's way into the log of a bus. */
export interface LoggedArrival {
  logged(): Promise<void>;
}

/** What can be dispatched: an event. */
export interface Dispatchable extends ResultHelpers<unknown> {
  /** UUIDv7 */
  readonly event_id: string;
  /** By what handlers are matched. */
  readonly event_type: string;
  /** Resolves to the event once it is completed. */
  eventCompleted(options?: CompletionOptions): Promise<this>;
}

/** Options of `dispatch`. */
export interface DispatchOptions {
  /** Inside a handler: make the event a new root, which the handler's event neither knows nor waits for. @default false */
  readonly detached?: boolean | undefined;
  /** Buffers of the payload that move to the other thread instead of being copied; this side can't use them any more. @default none */
  readonly transfer?: readonly Transferable[] | undefined;
  /**
   * Cancels the event wherever it is when it aborts: handlers that run end with HandlerAbortedError, those that haven't
   * started with HandlerCancelledError, both with the signal's reason as `cause`, and so do children that only they
   * await. `AbortSignal.timeout(ms)` is a deadline that includes the queue. @default none
   */
  readonly signal?: AbortSignal | undefined;
}

/** @throws TypeError */
export function checkDispatchOptions(options: DispatchOptions): void {
  checkOptions('dispatch', options, ['detached', 'transfer', 'signal']);
  checkFlag('detached', options.detached);
  checkSignal(options.signal);
  if (options.transfer !== undefined) checkTransfer(options.transfer);
}

function checkTransfer(transfer: unknown): void {
  const right = 'Expected transfer to be an array of the ArrayBuffers and MessagePorts that are to move';
  if (!Array.isArray(transfer)) throw new TypeError(`${right}; got ${describe(transfer)}.`);
  for (const item of transfer as unknown[]) {
    if (types.isArrayBuffer(item) || isPort(item)) continue;
    const fix = ArrayBuffer.isView(item) ? ' Move what is behind it: its buffer.' : '';
    throw new TypeError(`${right}; got ${describe(item)} in it.${fix}`);
  }
}

function isPort(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'postMessage' in item && typeof item.postMessage === 'function';
}

/** What can move to another thread. */
export type Transferable = ArrayBuffer | MessagePort;

const nothing: readonly Transferable[] = [];
const transfers = new WeakMap<object, readonly Transferable[]>();

/** Keeps what is to move with the event until it crosses a thread. */
export function rememberTransfer(event: object, transfer: readonly Transferable[]): void {
  transfers.set(event, transfer);
}

/** Something is to move with the event when it crosses a thread. */
export function hasTransfer(event: object): boolean {
  return transfers.has(event);
}

/** What is to move with the event, for its first crossing only: afterwards this side has it no more. */
export function takeTransfer(event: object): readonly Transferable[] {
  const transfer = transfers.get(event);
  if (transfer === undefined) return nothing;
  transfers.delete(event);
  return transfer;
}

/** The bus that runs a handler, as its event shows it. */
export interface RunningBus {
  /** UUIDv7 */
  readonly id: string;
  /** As in results and in `event_path`. */
  readonly name: string;
  /** Hands an event over, which becomes a child of the handler's event. */
  dispatch<E extends Dispatchable>(event: E | Hint<TakeEvent>, options?: DispatchOptions): Dispatch<E>;
}

/**
 * An event on its way: what `dispatch` returns.
 *
 * Await it for the completed event; that never rejects because of a failing handler, the result helpers do. Inside a
 * handler an await runs the event ahead of the queue. Dropping it is fine (fire and forget). A handler that returns one
 * is not held up by it.
 *
 * @example
 * ```ts
 * const event = await bus.dispatch(new Ping({}));                    // all handlers are done
 * const sum = await bus.dispatch(new Add({ a: 1, b: 2 })).eventResult();
 * bus.dispatch(new Ping({})).event.event_status;                     //=> 'pending'
 * ```
 */
export class Dispatch<E extends Dispatchable = Dispatchable>
  extends ResultHelpers<ResultOf<E>>
  implements PromiseLike<E>
{
  static {
    showAs(this.prototype, (dispatch, nested) => `Dispatch of ${nested(dispatch.event)}`);
  }

  /** The event, at once. */
  readonly event: E;

  readonly #arrival: LoggedArrival | null;

  /** @internal */
  constructor(event: E, arrival: LoggedArrival | null = null) {
    super(lifecycleOf(event));
    this.event = event;
    this.#arrival = arrival;
  }

  /**
   * Resolves when the event's arrival is in the bus's log: from then on it outlives the process.
   *
   * @throws EventStateError if the bus doesn't log arrivals (`walMode: 'ahead'`); WalWriteError if it can't be written:
   *   then the event waits, nothing of it runs, and it is tried again
   * @example await bus.dispatch(new OrderPlaced({ id: 7 })).logged();   // its handlers may still be to come
   */
  async logged(): Promise<void> {
    if (this.#arrival !== null) return this.#arrival.logged();
    const { event_type, event_id } = this.event;
    throw new EventStateError(
      `The arrival of ${event_type}#${event_id.slice(-4)} isn't logged by the bus that it was dispatched to. Make that one with { walPath, walMode: 'ahead' }, or await the event itself.`,
      { eventType: event_type, eventId: event_id },
    );
  }

  // oxlint-disable-next-line unicorn/no-thenable -- awaiting a dispatch is what it is for
  then<Value = E, Failure = never>(
    onCompleted?: ((event: E) => Value | PromiseLike<Value>) | null,
    onError?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Value | Failure> {
    return thenCompleted(lifecycleOf(this), this.event, onCompleted, onError);
  }

  /**
   * Like an await, with a limit in seconds or a signal; handlers go on when the wait ends.
   * @throws TimeoutError; the signal's reason; AwaitCycleError inside a handler that the event can't complete without
   * @example const event = await bus.dispatch(new Ping({})).eventCompleted({ timeout: 2 });
   */
  eventCompleted(options?: CompletionOptions): Promise<E> {
    return this.event.eventCompleted(options);
  }

  /** For errors of the wait itself: an await cycle, or a stopped bus. */
  catch<Failure>(onError: (error: unknown) => Failure | PromiseLike<Failure>): Promise<E | Failure> {
    return this.then(undefined, onError);
  }

  /** Calls `onEnd` when the event is completed, or the wait for it has failed. */
  finally(onEnd: () => void): Promise<E> {
    return this.event.eventCompleted().finally(onEnd);
  }
}
