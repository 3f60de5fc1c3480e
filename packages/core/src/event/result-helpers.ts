import { completion, type CompletionOptions, limitedCompletion, placeOf } from './completion.ts';
import { liveHandler, wokenNext } from './context.ts';
import { didYouMean, handledTypes } from '../basics/did-you-mean.ts';
import { NoResultError, ResultConflictError } from '../basics/errors.ts';
import type { EventResult } from './event-result.ts';
import { Lifecycle, type Wait } from './lifecycle.ts';
import { hasLost } from './lost-result.ts';
import { checkFilter, checkFlag, checkOptions, checkSignal, passes } from '../basics/options.ts';

/** Options of all result helpers. */
export interface ResultOptions<R = unknown, E extends object = object> extends CompletionOptions {
  /** Which results count. @default completed ones that are neither null nor undefined nor a forwarded event */
  readonly include?: ((result: EventResult<R, E>) => boolean) | undefined;
  /** Throw what the first failed handler threw, before `include` is asked. @default true */
  readonly raiseIfAny?: boolean | undefined;
  /** Throw NoResultError if no result counts. @default true (for `eventResultsFlatDict`: false) */
  readonly raiseIfNone?: boolean | undefined;
}

/** Options of `eventResultsFlatDict`. */
export interface FlatDictOptions<R = unknown, E extends object = object> extends ResultOptions<R, E> {
  /** Throw ResultConflictError if two handlers returned the same key; else the later handler wins. @default true */
  readonly raiseIfConflicts?: boolean | undefined;
}

/** Options of a call that takes null for "nothing counted" in its stride. */
export type NullableOptions<R = unknown, E extends object = object> = ResultOptions<R, E> & {
  readonly raiseIfNone: false;
};

/** The members of a result that is an array. */
export type ItemOf<R> = R extends readonly (infer Item)[] ? Item : unknown;

/** The life of an event, or of the event that a Dispatch is for. */
export let lifecycleOf: (subject: ResultHelpers<unknown>) => Lifecycle;

/**
 * Ways to get at what the handlers of an event returned; each waits for the event first, and inside a handler that
 * runs the event ahead of the queue, like any await. Failed handlers make them throw the original error.
 *
 * All of them reject with TimeoutError when their `timeout` passes, with the signal's reason when it aborts, with
 * NoResultError when no result counts, and with AwaitCycleError inside a handler that the event can't complete without.
 */
export abstract class ResultHelpers<R, E extends object = object> {
  readonly #lifecycle: Lifecycle;

  static {
    lifecycleOf = (subject) => subject.#lifecycle;
  }

  /** @internal @param lifecycle of another event; absent: this is an event itself, at the start of its life */
  constructor(lifecycle?: Lifecycle) {
    this.#lifecycle = lifecycle ?? new Lifecycle(this);
  }

  /** The first result that counts, in order of arrival at a bus, then of registration. */
  eventResult(options: NullableOptions<R, E>): Promise<R | null>;
  eventResult(options?: ResultOptions<R, E>): Promise<R>;
  eventResult(options: ResultOptions<R, E> = noOptions): Promise<R | null> {
    return read(this.#lifecycle, options, values, (results) => results[0]?.result ?? null);
  }

  /** All values that count, as a list. */
  eventResultsList(options: ResultOptions<R, E> = noOptions): Promise<R[]> {
    return read(this.#lifecycle, options, values, (results) => results.map(({ result }) => result as R));
  }

  /** All EventResults that count, by handler id. */
  eventResultsFiltered(options: ResultOptions<R, E> = noOptions): Promise<Map<string, EventResult<R, E>>> {
    return read(
      this.#lifecycle,
      options,
      values,
      (results) => new Map(results.map((result) => [result.handler_id, result])),
    );
  }

  /** Values by handler id. */
  eventResultsByHandlerId(options: ResultOptions<R, E> = noOptions): Promise<Record<string, R>> {
    return read(this.#lifecycle, options, values, (results) =>
      Object.fromEntries(results.map((result) => [result.handler_id, result.result as R])),
    );
  }

  /** Values by handler name; of several handlers with one name the last wins. */
  eventResultsByHandlerName(options: ResultOptions<R, E> = noOptions): Promise<Record<string, R>> {
    return read(this.#lifecycle, options, values, (results) =>
      Object.fromEntries(results.map((result) => [result.handler_name, result.result as R])),
    );
  }

  /** All results that are arrays, put together; others are skipped. */
  eventResultsFlatList(options: ResultOptions<R, E> = noOptions): Promise<ItemOf<R>[]> {
    return read(this.#lifecycle, options, lists, (results) => results.flatMap(({ result }) => result as ItemOf<R>[]));
  }

  /**
   * What the handlers threw, and the reasons why handlers were ended, in the order of the results; never throws those.
   *
   * @example for (const error of await bus.dispatch(event).eventErrors({ timeout: 10 })) report(error);
   */
  eventErrors(options?: CompletionOptions): Promise<Error[]> {
    return limitedCompletion(this.#lifecycle, this.#lifecycle, 'eventErrors', options, true).then(errorsOf);
  }

  /**
   * All results that are plain objects, merged; others are skipped. `raiseIfNone` is false unless given.
   *
   * @throws ResultConflictError if two handlers returned the same key, unless `raiseIfConflicts` is false
   */
  eventResultsFlatDict(options: FlatDictOptions<R, E> = noOptions): Promise<Record<string, unknown>> {
    return read(this.#lifecycle, options, dicts, (results) =>
      mergeDicts(results, this.#lifecycle, options.raiseIfConflicts ?? true),
    );
  }
}

/** What handlers of an event (or of a Dispatch's event) return. */
export type ResultOf<E> = E extends { eventResultsList(...options: never[]): Promise<(infer R)[]> } ? R : unknown;

function errorsOf({ results }: Lifecycle): Error[] {
  return (results as readonly EventResult[]).flatMap(({ status, error }) =>
    status === 'error' && !hasLost(error) ? [error as Error] : [],
  );
}

const optionNames = ['timeout', 'signal', 'include', 'raiseIfAny', 'raiseIfNone', 'raiseIfConflicts'];

/** Which results a helper is for, whatever else is asked of them. */
interface Kind {
  readonly has: (result: EventResult) => boolean;
  readonly raiseIfNone: boolean;
}

const values: Kind = { has: () => true, raiseIfNone: true };
const lists: Kind = { has: isList, raiseIfNone: true };
const dicts: Kind = { has: isDict, raiseIfNone: false };
const noOptions = {};

/** A wait of no handler, for the results of an event: most waits are such, and one promise is all that they need. */
class ResultWait<R, E extends object, T> implements Wait {
  readonly runner: null = null;
  readonly getsErrors = true;
  readonly #lifecycle: Lifecycle;
  readonly #kind: Kind;
  readonly #toValue: (results: EventResult<R, E>[]) => T;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    lifecycle: Lifecycle,
    kind: Kind,
    toValue: (results: EventResult<R, E>[]) => T,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#lifecycle = lifecycle;
    this.#kind = kind;
    this.#toValue = toValue;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  settle(): void {
    wokenNext();
    try {
      this.#resolve(this.#toValue(countingResults(this.#lifecycle, noOptions, this.#kind)));
    } catch (error) {
      this.#reject(error);
    }
  }
}

/**
 * Waits for the event, then reads its results; everything that is wrong rejects. No `async` function: each would add
 * two promises to every call.
 */
function read<R, E extends object, T>(
  lifecycle: Lifecycle,
  options: ResultOptions<R, E>,
  kind: Kind,
  toValue: (results: EventResult<R, E>[]) => T,
): Promise<T> {
  if (options === noOptions && lifecycle.sequence > 0 && !lifecycle.settled && liveHandler() === null) {
    return new Promise((resolve, reject) =>
      lifecycle.addWait(new ResultWait(lifecycle, kind, toValue, resolve, reject)),
    );
  }
  let completed;
  try {
    if (options !== noOptions) checkResultOptions(options);
    completed = completion(lifecycle, lifecycle, options, options.raiseIfAny !== false);
  } catch (error) {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what a check threw, as it is
    return Promise.reject(error);
  }
  return completed.then(() => toValue(countingResults(lifecycle, options, kind)));
}

function checkResultOptions<R, E extends object>(options: ResultOptions<R, E>): void {
  checkOptions('A result helper', options, optionNames);
  checkFilter('include', options.include);
  checkFlag('raiseIfAny', options.raiseIfAny);
  checkFlag('raiseIfNone', options.raiseIfNone);
  checkSignal(options.signal);
  options.signal?.throwIfAborted();
}

function countingResults<R, E extends object>(
  lifecycle: Lifecycle,
  options: ResultOptions<R, E>,
  kind: Kind,
): EventResult<R, E>[] {
  const results = lifecycle.results as readonly EventResult<R, E>[];
  // Mostly there is one, which counts: then there is nothing to look for.
  const only = results[0];
  if (options === noOptions && results.length === 1 && only !== undefined && countsByDefault(only) && kind.has(only))
    return [only];
  if (options.raiseIfAny ?? true) {
    const failed = results.find((result) => result.status === 'error' && !hasLost(result.error));
    // oxlint-disable-next-line typescript/only-throw-error -- what the handler threw, as it is
    if (failed !== undefined) throw failed.error;
  }
  const include = options.include ?? countsByDefault;
  const counting = results.filter((result) => kind.has(result) && passes('include', include, result));
  if (counting.length > 0 || !(options.raiseIfNone ?? kind.raiseIfNone)) return counting;
  const place = placeOf(lifecycle);
  throw new NoResultError(
    `Expected at least one handler to return something other than undefined or null for ${place.eventType}#${place.eventId?.slice(-4)}; ${noResultReason(results, lifecycle.event as NamedEvent)} Pass { raiseIfNone: false } if that is fine.`,
    place,
  );
}

/** The result is an array. */
function isList(result: EventResult): boolean {
  return Array.isArray(result.result);
}

/** The result is a plain object. */
function isDict({ result }: EventResult): boolean {
  if (typeof result !== 'object' || result === null) return false;
  const prototype: unknown = Object.getPrototypeOf(result);
  return prototype === Object.prototype || prototype === null;
}

function mergeDicts<R, E extends object>(
  results: readonly EventResult<R, E>[],
  lifecycle: Lifecycle,
  raiseIfConflicts: boolean,
): Record<string, unknown> {
  const merged = new Map<string, unknown>();
  for (const result of results) {
    const entries = Object.entries(result.result ?? {});
    const keys = entries.map(([key]) => key).filter((key) => merged.has(key));
    if (raiseIfConflicts && keys.length > 0) {
      const place = placeOf(lifecycle);
      throw new ResultConflictError(
        `The result of ${result.eventbus_name}.${result.handler_name} for ${place.eventType} would overwrite values from previous handlers: ${keys.join(', ')}. Pass { raiseIfConflicts: false } to let the last handler win.`,
        place,
        keys,
      );
    }
    for (const [key, value] of entries) merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** A value of the handler's own. */
export function countsByDefault({ status, result }: Pick<EventResult, 'status' | 'result'>): boolean {
  return (
    status === 'completed' && result !== null && result !== undefined && !((result as unknown) instanceof ResultHelpers)
  );
}

/** What an error says of an event; this layer doesn't know the class. */
interface NamedEvent {
  readonly event_type: string;
  readonly event_path: readonly string[];
}

function noResultReason(results: readonly EventResult[], { event_type, event_path }: NamedEvent): string {
  if (results.every(({ result }) => result instanceof ResultHelpers)) {
    const hint = didYouMean(event_type, handledTypes(event_path));
    return `no handler is registered for it on any bus that it reached (${event_path.join(', ')}).${hint} Register one before you dispatch: bus.on(${event_type}, handler).`;
  }
  return `${results.length} handler(s) ran, none returned one that counts.`;
}
