import type { StuckFrame } from './stuck-frame.ts';

/** Marks every error of this package; survives duplicate installs of it, where `instanceof` does not. */
const errorBrand = Symbol.for('threadbus.error');

/** Where something happened: names and ids only, so that an error can cross a thread. */
export interface ErrorPlace {
  /** Name of the bus. */
  readonly busName?: string | undefined;
  /** `event_type` */
  readonly eventType?: string | undefined;
  /** `event_id` */
  readonly eventId?: string | undefined;
  /** Name of the handler's function, module or bus. */
  readonly handlerName?: string | undefined;
}

/**
 * Base of all errors that threadbus itself raises.
 *
 * Errors of your own handlers are never wrapped in it: they reach you as the object that was thrown.
 * @example if (isBusError(error)) console.log(error.code, error.busName, error.eventType);
 */
export abstract class BusError extends Error {
  /** Stable and machine-readable, `ERR_…`; the message may change between versions, this does not. */
  abstract readonly code: string;
  /** Name of the bus, where one is concerned. */
  declare readonly busName?: string | undefined;
  /** `event_type`, where an event is concerned. */
  declare readonly eventType?: string | undefined;
  /** `event_id`, where an event is concerned. */
  declare readonly eventId?: string | undefined;
  /** Name of the handler's function, module or bus, where one is concerned. */
  declare readonly handlerName?: string | undefined;

  static {
    Object.defineProperty(this.prototype, errorBrand, { value: true });
  }

  constructor(message: string, place: ErrorPlace = {}, options?: ErrorOptions) {
    super(message, options);
    const known = Object.entries(place).filter(([, value]) => value !== undefined);
    Object.assign(this, Object.fromEntries(known));
  }
}

/** True for any error that threadbus raised, whichever copy of the package or thread it comes from. */
export function isBusError(error: unknown): error is BusError {
  try {
    return typeof error === 'object' && error !== null && errorBrand in error;
  } catch {
    // A Proxy may throw at any question.
    return false;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return isBusError(error) && error.code === code;
}

/** One thing that is wrong with a payload. */
export interface PayloadIssue {
  /** Where, as written in code: `items[0].price`; empty for the payload as a whole. */
  readonly path: string;
  /** What zod, or the framework, has to say of it. */
  readonly message: string;
}

/**
 * A payload, an event field or an event definition is not valid; `cause` is zod's error where zod found it.
 *
 * @example
 * ```ts
 * try {
 *   new UserLogin(body);
 * } catch (error) {
 *   if (isEventValidationError(error)) console.log(error.issues);   //=> [{ path: 'username', message: '…' }]
 * }
 * ```
 */
export class EventValidationError extends BusError {
  static {
    this.prototype.name = 'EventValidationError';
  }
  override readonly code = 'ERR_EVENT_VALIDATION';
  /** What is wrong, field by field. */
  readonly issues: readonly PayloadIssue[];

  constructor(message: string, place: ErrorPlace, issues: readonly PayloadIssue[], options?: ErrorOptions) {
    super(message, place, options);
    this.issues = issues;
  }
}

/** True for an EventValidationError, whichever copy of the package or thread it comes from. */
export function isEventValidationError(error: unknown): error is EventValidationError {
  return hasCode(error, 'ERR_EVENT_VALIDATION');
}

/** The event is in a state in which the call makes no sense, such as waiting on one that was never dispatched. @example if (isEventStateError(error)) await bus.dispatch(event.eventReset()); */
export class EventStateError extends BusError {
  static {
    this.prototype.name = 'EventStateError';
  }
  override readonly code = 'ERR_EVENT_STATE';
}

/** True for an EventStateError, whichever copy of the package or thread it comes from. */
export function isEventStateError(error: unknown): error is EventStateError {
  return hasCode(error, 'ERR_EVENT_STATE');
}

/** `dispatch` was refused: the bus already holds as many unfinished events as `maxPending` allows. @example if (isBusCapacityError(error)) response.writeHead(503).end(); */
export class BusCapacityError extends BusError {
  static {
    this.prototype.name = 'BusCapacityError';
  }
  override readonly code = 'ERR_BUS_CAPACITY';
  /** How many events are under way on the bus. */
  readonly pending: number;
  /** The bus's `maxPending`. */
  readonly limit: number;

  constructor(message: string, place: ErrorPlace, counts: { readonly pending: number; readonly limit: number }) {
    super(message, place);
    this.pending = counts.pending;
    this.limit = counts.limit;
  }
}

/** True for a BusCapacityError, whichever copy of the package or thread it comes from. */
export function isBusCapacityError(error: unknown): error is BusCapacityError {
  return hasCode(error, 'ERR_BUS_CAPACITY');
}

/** The bus was stopped: it takes no events any more, and everything that waited on it ends with this. @example if (isBusStoppedError(error)) return;   // on the way out */
export class BusStoppedError extends BusError {
  static {
    this.prototype.name = 'BusStoppedError';
  }
  override readonly code = 'ERR_BUS_STOPPED';
}

/** True for a BusStoppedError, whichever copy of the package or thread it comes from. */
export function isBusStoppedError(error: unknown): error is BusStoppedError {
  return hasCode(error, 'ERR_BUS_STOPPED');
}

/** A handler awaited something that can't complete before the handler itself has returned. @example if (isAwaitCycleError(error)) console.error(error.message);   // names the forms that work */
export class AwaitCycleError extends BusError {
  static {
    this.prototype.name = 'AwaitCycleError';
  }
  override readonly code = 'ERR_AWAIT_CYCLE';
}

/** True for an AwaitCycleError, whichever copy of the package or thread it comes from. */
export function isAwaitCycleError(error: unknown): error is AwaitCycleError {
  return hasCode(error, 'ERR_AWAIT_CYCLE');
}

/** The handler itself ran longer than its event's `event_timeout`. @example if (isHandlerTimeoutError(error)) response.writeHead(504).end(`${error.timeout} s`); */
export class HandlerTimeoutError extends BusError {
  static {
    this.prototype.name = 'HandlerTimeoutError';
    Object.assign(this.prototype, { stuckAt: null });
  }
  override readonly code = 'ERR_HANDLER_TIMEOUT';
  /** In seconds. */
  readonly timeout: number;
  /** Where the handler was, innermost call first, if it blocked a thread that was ended for it; null if that isn't known. */
  declare readonly stuckAt: readonly StuckFrame[] | null;

  constructor(message: string, place: ErrorPlace, timeout: number, options?: ErrorOptions) {
    super(message, place, options);
    this.timeout = timeout;
  }
}

/** True for a HandlerTimeoutError, whichever copy of the package or thread it comes from. */
export function isHandlerTimeoutError(error: unknown): error is HandlerTimeoutError {
  return hasCode(error, 'ERR_HANDLER_TIMEOUT');
}

/** The handler was running when the handler that awaited its event timed out, or when its bus stopped; see `cause`. @example if (isHandlerAbortedError(error)) console.log(error.cause); */
export class HandlerAbortedError extends BusError {
  static {
    this.prototype.name = 'HandlerAbortedError';
  }
  override readonly code = 'ERR_HANDLER_ABORTED';
}

/** True for a HandlerAbortedError, whichever copy of the package or thread it comes from. */
export function isHandlerAbortedError(error: unknown): error is HandlerAbortedError {
  return hasCode(error, 'ERR_HANDLER_ABORTED');
}

/** The handler had not started when the handler that awaited its event timed out, or when its bus stopped. @example if (isHandlerCancelledError(error)) await bus.dispatch(event.eventReset());   // nothing was done */
export class HandlerCancelledError extends BusError {
  static {
    this.prototype.name = 'HandlerCancelledError';
  }
  override readonly code = 'ERR_HANDLER_CANCELLED';
}

/** True for a HandlerCancelledError, whichever copy of the package or thread it comes from. */
export function isHandlerCancelledError(error: unknown): error is HandlerCancelledError {
  return hasCode(error, 'ERR_HANDLER_CANCELLED');
}

/** A handler returned a value that its event's `event_result_type` refuses; `cause` is zod's error. @example if (isResultValidationError(error)) console.log(error.cause); */
export class ResultValidationError extends BusError {
  static {
    this.prototype.name = 'ResultValidationError';
  }
  override readonly code = 'ERR_RESULT_VALIDATION';
}

/** True for a ResultValidationError, whichever copy of the package or thread it comes from. */
export function isResultValidationError(error: unknown): error is ResultValidationError {
  return hasCode(error, 'ERR_RESULT_VALIDATION');
}

/** A handler threw something that is no Error; the thing itself is in `cause`. @example if (isThrownValueError(error)) console.log('thrown:', error.cause); */
export class ThrownValueError extends BusError {
  static {
    this.prototype.name = 'ThrownValueError';
  }
  override readonly code = 'ERR_THROWN_VALUE';
}

/** True for a ThrownValueError, whichever copy of the package or thread it comes from. */
export function isThrownValueError(error: unknown): error is ThrownValueError {
  return hasCode(error, 'ERR_THROWN_VALUE');
}

/** A handler is nested in itself, through the events it dispatches, deeper than the bus allows. @example if (isRecursionLimitError(error)) console.log(error.eventType, error.handlerName); */
export class RecursionLimitError extends BusError {
  static {
    this.prototype.name = 'RecursionLimitError';
  }
  override readonly code = 'ERR_RECURSION_LIMIT';
}

/** True for a RecursionLimitError, whichever copy of the package or thread it comes from. */
export function isRecursionLimitError(error: unknown): error is RecursionLimitError {
  return hasCode(error, 'ERR_RECURSION_LIMIT');
}

/** A wait (`expect`, `eventResult`, …) ended because its own `timeout` passed; handlers go on. @example if (isTimeoutError(error)) console.log(`nothing within ${error.timeout} s`); */
export class TimeoutError extends BusError {
  static {
    this.prototype.name = 'TimeoutError';
  }
  override readonly code = 'ERR_TIMEOUT';
  /** In seconds. */
  readonly timeout: number;

  constructor(message: string, place: ErrorPlace, timeout: number) {
    super(message, place);
    this.timeout = timeout;
  }
}

/** True for a TimeoutError, whichever copy of the package or thread it comes from. */
export function isTimeoutError(error: unknown): error is TimeoutError {
  return hasCode(error, 'ERR_TIMEOUT');
}

/** No handler gave a result that the helper could return. @example const value = await dispatch.eventResult({ raiseIfNone: false });   // null in place of this error */
export class NoResultError extends BusError {
  static {
    this.prototype.name = 'NoResultError';
  }
  override readonly code = 'ERR_NO_RESULT';
}

/** True for a NoResultError, whichever copy of the package or thread it comes from. */
export function isNoResultError(error: unknown): error is NoResultError {
  return hasCode(error, 'ERR_NO_RESULT');
}

/** Two handlers returned objects with the same key, and `eventResultsFlatDict` was not told to let the last win. @example if (isResultConflictError(error)) console.log(error.keys); */
export class ResultConflictError extends BusError {
  static {
    this.prototype.name = 'ResultConflictError';
  }
  override readonly code = 'ERR_RESULT_CONFLICT';
  /** The keys that more than one handler returned. */
  readonly keys: readonly string[];

  constructor(message: string, place: ErrorPlace, keys: readonly string[]) {
    super(message, place);
    this.keys = keys;
  }
}

/** True for a ResultConflictError, whichever copy of the package or thread it comes from. */
export function isResultConflictError(error: unknown): error is ResultConflictError {
  return hasCode(error, 'ERR_RESULT_CONFLICT');
}

/** A value can't be written as JSON or sent to a thread; `path` says which field. @example if (isUnserializableError(error)) console.log(error.path);   //=> user.save */
export class UnserializableError extends BusError {
  static {
    this.prototype.name = 'UnserializableError';
  }
  override readonly code = 'ERR_UNSERIALIZABLE';
  /** As written in code: `items[0].price`. */
  readonly path: string;

  constructor(message: string, place: ErrorPlace, path: string, options?: ErrorOptions) {
    super(message, place, options);
    this.path = path;
  }
}

/** True for an UnserializableError, whichever copy of the package or thread it comes from. */
export function isUnserializableError(error: unknown): error is UnserializableError {
  return hasCode(error, 'ERR_UNSERIALIZABLE');
}

/** Lines of the write-ahead log could not be written; `cause` is the file system's error. @example await bus.stop().catch((error) => isWalWriteError(error) && alert(error.path, error.lines)); */
export class WalWriteError extends BusError {
  static {
    this.prototype.name = 'WalWriteError';
  }
  override readonly code = 'ERR_WAL_WRITE';
  /** The bus's `walPath`. */
  readonly path: string;
  /** How many completed events are not in the file. */
  readonly lines: number;

  constructor(
    message: string,
    place: ErrorPlace,
    data: { readonly path: string; readonly lines: number },
    options?: ErrorOptions,
  ) {
    super(message, place, options);
    this.path = data.path;
    this.lines = data.lines;
  }
}

/** True for a WalWriteError, whichever copy of the package or thread it comes from. */
export function isWalWriteError(error: unknown): error is WalWriteError {
  return hasCode(error, 'ERR_WAL_WRITE');
}
