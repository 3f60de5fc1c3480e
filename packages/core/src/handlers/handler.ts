import type { AsyncResource } from 'node:async_hooks';
import type { AnyEvent, BaseEvent } from '../event/base-event.ts';
import type { Dispatch, Dispatchable, DispatchOptions, RunningBus } from '../event/dispatch.ts';
import type { ResultSource } from '../event/event-result.ts';
import type { Part } from '../event/lifecycle.ts';
import { checkLimit } from '../basics/duration.ts';
import { checkFlag, checkOptions, checkSignal } from '../basics/options.ts';
import type { Hint, TakeEvent, TakeTypedHandler } from '../basics/hint.ts';

/** What a handler gets beside the event: a plain object, to be copied or added to as you like. */
export interface HandlerContext {
  /** Aborts when the handler's time is up, when it is cancelled, or when its bus stops; the reason is the error. */
  readonly signal: AbortSignal;
  /** The bus that runs the handler. */
  readonly bus: RunningBus;
}

/** What handlers of an event may return: what its `result` type takes, of which that makes the result. */
export type ResultInputOf<E> = E extends BaseEvent<unknown, infer I> ? I : unknown;

type Outcome<R> = R | Dispatch | null | undefined | void;

/** What a handler may return, where the event's result type takes R: R, nothing, or a Dispatch, which it isn't held up by. */
export type HandlerReturn<R> = Outcome<R> | PromiseLike<Outcome<R>>;

/** A function that handles events of one class. It is called without `this`: bind a method to its object. */
export type Handler<E extends BaseEvent = BaseEvent> = (
  event: E,
  context: HandlerContext,
) => HandlerReturn<ResultInputOf<E>>;

/** What the compiler says of a handler of another event: where the events are known by name, why that is. */
export type NamedHint<E extends BaseEvent> = E extends AnyEvent ? Hint<TakeTypedHandler> : never;

/** Any handler, as the engine calls it. */
export type AnyHandler = (event: BaseEvent, context: HandlerContext) => unknown;

/** Where a forward leads: a bus of this thread, or one that is reached over a link. */
export interface ForwardTarget {
  readonly id: string;
  readonly name: string;
  /**
   * Takes the event over, unless the bus had it before.
   *
   * @param context the async context in which the event's handlers are to run
   * @returns the event's part there; null if the bus had it
   * @throws BusStoppedError
   */
  accept(event: BaseEvent, context: AsyncResource): Part | null;
}

/** A bus's bound `dispatch`, which can be registered as a handler to forward events: `main.on('*', auth.dispatch)`. */
export interface Forward {
  <E extends Dispatchable>(event: E | Hint<TakeEvent>, options?: DispatchOptions): Dispatch<E>;
  /** @internal */
  readonly [forwardTarget]: ForwardTarget;
}

export const forwardTarget: unique symbol = Symbol('threadbus.forwardTarget');

/** How a handler that runs elsewhere, in another thread, fits into its bus's order. */
export interface RemoteHandler {
  readonly name: string;
  /** Whether the bus's serial slot is held until it has settled. */
  readonly holdsSlot: boolean;
  /** Its time starts when it says so (`HandlerRun.startClock`), not when it is called. */
  readonly ownClock: boolean;
}

export const remoteHandler: unique symbol = Symbol('threadbus.remoteHandler');

/** One registration of a handler on a bus. */
export interface HandlerEntry {
  readonly source: ResultSource;
  /** A type, or '*'. */
  readonly pattern: string;
  readonly handler: AnyHandler;
  readonly once: boolean;
  /** Seconds; null = no limit of its own. */
  readonly timeout: number | null;
  /** Called when the registration ends, however that comes about. */
  onRemoved: (() => void) | null;
  readonly target: ForwardTarget | null;
  readonly holdsSlot: boolean;
  readonly ownClock: boolean;
  /** Its function runs in another thread. */
  readonly isRemote: boolean;
  /** It has no way to see its context, which costs more than all else in a short call. */
  readonly ignoresContext: boolean;
}

/** How a handler is run: plain ones share one object. */
export type HandlerKind = Pick<HandlerEntry, 'target' | 'holdsSlot' | 'ownClock' | 'isRemote'>;

const plainKind: HandlerKind = { target: null, holdsSlot: true, ownClock: false, isRemote: false };

export function kindOf(handler: object): HandlerKind {
  const target = (handler as Partial<Forward>)[forwardTarget];
  if (target !== undefined) return { target, holdsSlot: false, ownClock: false, isRemote: false };
  const remote = (handler as { [remoteHandler]?: RemoteHandler })[remoteHandler];
  return remote === undefined
    ? plainKind
    : { target: null, holdsSlot: remote.holdsSlot, ownClock: remote.ownClock, isRemote: true };
}

/** How results call a handler. */
export function nameOf(handler: object): string {
  const target = (handler as Partial<Forward>)[forwardTarget];
  if (target !== undefined) return `${target.name}.dispatch`;
  const remote = (handler as { [remoteHandler]?: RemoteHandler })[remoteHandler];
  if (remote !== undefined) return remote.name;
  const name = (handler as { name?: unknown }).name;
  const plain = typeof name !== 'string' ? '' : name.startsWith('bound ') ? name.replace(/^(?:bound )+/, '') : name;
  return plain === '' ? 'anonymous' : plain;
}

/** Makes a Forward of a bus's `dispatch`. */
export function forwardTo(target: ForwardTarget, dispatch: DispatchCall): Forward {
  return Object.assign(dispatch, { [forwardTarget]: target }) as Forward;
}

type DispatchCall = <E extends Dispatchable>(event: E, options?: DispatchOptions) => Dispatch<E>;

/** Options of `on`. */
export interface OnOptions {
  /** Take the handler off when the first event that it matches starts. @default false */
  readonly once?: boolean | undefined;
  /** Takes the handler off when it aborts. @default none */
  readonly signal?: AbortSignal | undefined;
  /** Limit for this handler in seconds; the smaller of this and its event's ends it. @default the event's */
  readonly timeout?: number | null | undefined;
}

/** @throws TypeError or RangeError */
export function checkOnOptions(options: OnOptions): void {
  checkOptions('on', options, ['once', 'signal', 'timeout']);
  if (options.timeout !== undefined) checkLimit('timeout (seconds)', options.timeout);
  checkFlag('once', options.once);
  checkSignal(options.signal);
}
