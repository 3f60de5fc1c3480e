import { fromEpoch, isoText, type Moment, now } from '../basics/clock.ts';
import type { PathStep } from './bus-names.ts';
import { activeHandler } from './context.ts';
import type { Dispatchable, RunningBus } from './dispatch.ts';
import { EventStateError } from '../basics/errors.ts';
import * as fields from './event-fields.ts';
import type { EventFields } from './event-fields.ts';
import { type IdOrigin, idOf, nextOrder, ownIds } from './event-id.ts';
import { jsonPayload, payloadOf, splitJson } from './event-json.ts';
import { EventProgress } from './event-progress.ts';
import { extrasOf } from './life-extras.ts';
import { restoreProgress } from './event-restore.ts';
import type { EventResult } from './event-result.ts';
import * as schema from './event-schema.ts';
import type { EventDefinition, EventOptions } from './event-schema.ts';
import { showAs } from '../basics/inspect.ts';
import { keepFields, keepTimes, keptFields, timeText } from './kept-fields.ts';
import { type CompletionOptions, limitedCompletion, placeOf } from './completion.ts';
import { lifecycleOf, ResultHelpers } from './result-helpers.ts';
import { TrustedFields, TrustedPayload } from './trusted.ts';
import type { AddedInput, FieldsOf, OwnInput, PayloadShape, ZodLike } from './zod-like.ts';
import type { InputOf as ResultInput, OutputOf, PayloadOutput } from './zod-like.ts';

/** A class of events, as `on`, `expect` and `find` take it. */
export interface EventConstructor<E extends BaseEvent = BaseEvent> {
  /** Makes an event; its payload is validated here. */
  new (payload: never, fields?: EventFields): E;
  /** The type of the class's events, by which handlers are matched. */
  readonly event_type: string;
  /** @internal */
  readonly definition: EventDefinition;
}

/** What `extend` returns: a class to use as it is, or to write `class X extends …` upon. */
export interface EventClass<E extends BaseEvent, Input, Name extends string> {
  /** Makes an event; its payload is validated here, and may be left out if all its fields may. */
  new (
    ...args: Record<string, never> extends Input
      ? [payload?: Input, fields?: EventFields]
      : [payload: Input, fields?: EventFields]
  ): E;
  /** What its events have in common. */
  readonly prototype: E;
  /** The type of the class's events, by which handlers are matched. */
  readonly event_type: Name;
  /** @internal */
  readonly definition: EventDefinition;
  extend: typeof BaseEvent.extend;
  fromJSON: typeof BaseEvent.fromJSON;
}

/** An event of which only the type is known. */
export type AnyEvent = BaseEvent & Readonly<Record<string, unknown>>;

type IsBase<E> = BaseEvent extends E ? true : false;
type InputOf<Base extends EventConstructor, Shape extends PayloadShape> =
  IsBase<InstanceType<Base>> extends true
    ? OwnInput<Shape>
    : AddedInput<NonNullable<ConstructorParameters<Base>[0]>, Shape>;
type InstanceOf<Base extends EventConstructor, Shape extends PayloadShape, Result> = Result extends ZodLike
  ? BaseEvent<OutputOf<Result>, ResultInput<Result>> &
      Omit<InstanceType<Base>, keyof BaseEvent> &
      FieldsOf<PayloadOutput<Shape>>
  : InstanceType<Base> & FieldsOf<PayloadOutput<Shape>>;

/**
 * Among the events of the thread that made it; 0 if the event was made with an id that another may have too, -1 if
 * another thread vouches for the id.
 */
export let orderOf: (event: BaseEvent) => number;
/** The thread in which the order counts. */
export let idOriginOf: (event: BaseEvent) => IdOrigin;
/** The buses that had the event, in order. */
export let pathOf: (event: BaseEvent) => readonly PathStep[];
/** The limit that the class or the event has stated, in seconds; undefined = neither has. */
export let statedTimeoutOf: (event: BaseEvent) => number | null | undefined;
/** Whether the first result completes the event on its bus. */
export let completionOf: (event: BaseEvent) => EventDefinition['completion'];
export let setPath: (event: BaseEvent, path: readonly PathStep[]) => void;
export let createdAtOf: (event: BaseEvent) => Moment;
export let setParent: (event: BaseEvent, parentId: string) => void;

/**
 * Base of all events.
 *
 * Events are not thenable, so they can pass through async functions unharmed: await what `dispatch` returns, or
 * `eventCompleted()`. Fields of the framework begin with `event_` and are snake_case as in bubus; everything else on
 * an event is its payload.
 *
 * @example
 * ```ts
 * class UserLogin extends BaseEvent.extend('UserLogin', { username: z.string() }, { result: z.string() }) {}
 * const event = new UserLogin({ username: 'alice' });   // validated here
 * event.username;                                       //=> 'alice'
 * ```
 */
export class BaseEvent<R = unknown, I = R> extends EventProgress<R, BaseEvent, I> implements Dispatchable {
  /** What the class is made of. One that extends BaseEvent without `extend` is named as the class is. @internal */
  static get definition(): EventDefinition {
    return this === BaseEvent ? schema.baseDefinition : schema.namedDefinition(this);
  }

  /** The type of the class's events, by which handlers are matched. */
  static get event_type(): string {
    return this.definition.type;
  }

  /** The class's, unless the event was given other fields. */
  readonly #definition: EventDefinition;
  readonly #createdAt: Moment;
  /** Shared with other events that went the same way, so never changed. */
  #path: readonly PathStep[] = noPath;
  /** Null until somebody asks. */
  #id: string | null = null;
  #order = 0;
  #idOrigin = ownIds;
  #parentId: string | null;
  #results: Map<string, EventResult<R, BaseEvent>> | null = null;

  static {
    showAs(this.prototype, (event, nested) => `${event.toString()} ${nested(payloadOf(event))}`);
    schema.reserveNames([
      ...Object.getOwnPropertyNames(this.prototype),
      ...Object.getOwnPropertyNames(EventProgress.prototype),
      ...Object.getOwnPropertyNames(ResultHelpers.prototype),
    ]);
    orderOf = (event) => event.#order;
    idOriginOf = (event) => event.#idOrigin;
    pathOf = (event) => event.#path;
    setPath = (event, path) => {
      event.#path = path;
    };
    createdAtOf = (event) => event.#createdAt;
    completionOf = (event) => event.#definition.completion;
    statedTimeoutOf = (event) => event.#definition.timeout;
    setParent = (event, parentId) => {
      event.#parentId ??= parentId;
    };
  }

  /** Checked before, where it came from: on another side, or as it went into a log. @internal */
  constructor(payload: object, given: TrustedFields);
  /**
   * Makes an event, which is pending until it is dispatched.
   * @param payload validated here; the object itself is never changed. Unknown fields are kept.
   * @param given fields of the framework, such as `{ event_timeout: 5 }`
   * @throws EventValidationError
   */
  constructor(payload?: object, given?: EventFields);
  constructor(payload: object = {}, given: EventFields | TrustedFields = noFields) {
    super();
    const { definition } = new.target;
    if (given instanceof TrustedFields) {
      this.#definition = schema.trustedDefinition(definition, given);
      this.#createdAt = given.createdAt;
      this.#id = given.id;
      this.#order = given.order;
      this.#idOrigin = given.idOrigin;
      this.#parentId = given.parentId;
      (payload as TrustedPayload).assignTo(this);
      return;
    }
    if (given !== noFields) fields.checkFieldNames(given, definition.type);
    const type = schema.checkClassType(definition, given.event_type);
    if (payload instanceof TrustedPayload) payload.assignTo(this);
    else Object.assign(this, schema.validatePayload(definition, schema.checkPayload(payload, type), type));
    if (given === noFields) {
      this.#definition = definition;
      this.#createdAt = now();
      this.#order = nextOrder();
      this.#parentId = null;
      return;
    }
    const { event_id, event_parent_id, event_created_at, event_path } = given;
    this.#definition = schema.givenDefinition(definition, type, given);
    this.#createdAt = event_created_at === undefined ? now() : fromEpoch(fields.checkCreatedAt(event_created_at, type));
    if (event_path !== undefined) this.#path = fields.checkPath(event_path, type).map((name) => ({ id: null, name }));
    if (event_id === undefined) this.#order = nextOrder();
    else this.#id = fields.checkUuid('event_id', event_id, type);
    this.#parentId = fields.checkParentId(event_parent_id, type);
  }

  /**
   * Makes a class of events.
   *
   * A class can be extended again: fields add up, `result` may be narrowed, other options than `version` are inherited.
   * @param name the events' type; an identifier
   * @param shape fields as zod types, or a `z.object()`; unknown fields of a payload are kept unless it is strict
   * @throws EventValidationError for a name or field that can't be used
   * @example
   * ```ts
   * const Resize = BaseEvent.extend('Resize', { path: z.string() }, { result: z.number(), timeout: 30 });
   * ```
   */
  static extend<
    Base extends EventConstructor,
    const Name extends string,
    Shape extends PayloadShape,
    Result extends ZodLike | undefined = undefined,
  >(
    this: Base,
    name: Name,
    shape: Shape,
    options: EventOptions<Result> = {},
  ): EventClass<InstanceOf<Base, Shape, Result>, InputOf<Base, Shape>, Name> {
    const definition = schema.extendDefinition(this.definition, name, shape, options);
    const Parent = this as unknown as typeof BaseEvent;
    // The computed key gives the class its name, which inspectors and error messages show.
    const { [name]: Extended } = {
      [name]: class extends Parent {
        static override get definition(): EventDefinition {
          return definition;
        }
      },
    };
    return Extended as unknown as EventClass<InstanceOf<Base, Shape, Result>, InputOf<Base, Shape>, Name>;
  }

  /**
   * Restores an event from what `toJSON()` or `eventSnapshot()` gave, as an object or as text; also bubus's and abxbus's.
   * On a class the payload is validated (so its schema must accept its own output); `BaseEvent.fromJSON` takes any type.
   * Values that were tagged (Map, Set, Date, BigInt, typed arrays) come back as they were; the input is never changed.
   * @returns an event with the id, path and parent that it had; pending, unless the document tells its progress
   * @throws EventValidationError
   * @example
   * ```ts
   * UserLogin.fromJSON(JSON.stringify(event)).username;   //=> 'alice'
   * ```
   */
  static fromJSON<Class extends EventConstructor>(this: Class, json: unknown): InstanceType<Class> {
    const { payload, given, document, kept } = splitJson(json, this.definition.type);
    const type = schema.checkClassType(this.definition, given.event_type);
    const checked = schema.validatePayload(this.definition, schema.checkPayload(payload, type), type);
    const event = new this(new TrustedPayload(checked) as never, given) as InstanceType<Class>;
    keepFields(event, kept);
    keepTimes(event, document);
    restoreProgress(lifecycleOf(event), (event as BaseEvent).event_timeout, document);
    return event;
  }

  /** By what handlers are matched: the class's type, or the one given to a plain BaseEvent. */
  override get event_type(): string {
    return this.#definition.type;
  }
  /** UUIDv7 */
  override get event_id(): string {
    return (this.#id ??= idOf(this.#createdAt, this.#order, this.#idOrigin));
  }
  /** `Name@version` */
  get event_schema(): string {
    return this.#definition.schemaName;
  }
  /** Limit for each handler in seconds, unless its bus has another for events that state none; null = none. */
  get event_timeout(): number | null {
    const { timeout } = this.#definition;
    return timeout === undefined ? schema.defaultTimeout : timeout;
  }
  /** The event whose handler dispatched this one; null for a root. */
  get event_parent_id(): string | null {
    return this.#parentId;
  }
  /** Names of the buses that had the event, in order. */
  override get event_path(): readonly string[] {
    return this.#path.map(({ name }) => name);
  }
  /** When it was made, ISO 8601 in UTC. */
  get event_created_at(): string {
    return isoText(this.#createdAt);
  }
  /** What handlers must return; null = anything. */
  get event_result_type(): ZodLike | null {
    return this.#definition.result;
  }

  /** By handler id, in order of arrival at a bus, then of registration; empty until processing starts. */
  get event_results(): ReadonlyMap<string, EventResult<R, BaseEvent>> {
    const shown = (this.#results ??= new Map());
    const lifecycle = lifecycleOf(this);
    extrasOf(lifecycle).onResults = (): void => {
      shown.clear();
      for (const result of lifecycle.results as EventResult<R, BaseEvent>[]) shown.set(result.handler_id, result);
    };
    lifecycle.extras.onResults?.();
    return shown;
  }

  /** What this event's handlers dispatched, in order. */
  get event_children(): readonly BaseEvent[] {
    const children = lifecycleOf(this).results.flatMap((runner) => runner.children);
    return children.sort((a, b) => a.sequence - b.sequence).map((child) => child.event as BaseEvent);
  }

  /**
   * The bus that runs the handler from which it is asked.
   * @throws EventStateError outside a handler
   */
  get event_bus(): RunningBus {
    const handler = activeHandler.getStore();
    if (handler !== undefined) return handler.bus as RunningBus;
    throw new EventStateError(
      `event_bus can only be accessed from within an event handler (${this.#definition.type}#${this.event_id.slice(-4)}). Elsewhere, use the bus itself.`,
      placeOf(lifecycleOf(this)),
    );
  }

  /**
   * Resolves to this event once it is completed: all its handlers on every bus, and all its children.
   * @param options the limit of the wait in seconds, and a signal that ends it; handlers go on
   * @throws EventStateError if it was never dispatched; AwaitCycleError inside a handler that it can't complete without;
   *   TimeoutError; the signal's reason
   * @example await event.eventCompleted({ timeout: 10 });
   */
  eventCompleted(options?: CompletionOptions): Promise<this> {
    return limitedCompletion(lifecycleOf(this), this, 'eventCompleted', options);
  }

  /** A fresh copy to dispatch: same payload and options, new id, no parent or path. @example event.eventReset() */
  eventReset(): this {
    const Class = this.constructor as EventConstructor;
    return new Class(new TrustedPayload(payloadOf(this)) as never, {
      event_type: this.#definition.type,
      event_schema: this.#definition.schemaName,
      event_timeout: this.#definition.timeout,
      event_result_type: this.#definition.result,
    }) as this;
  }

  /**
   * Fields of the framework and the payload, safe for `JSON.stringify`: what JSON has no words for (Map, Set, Date,
   * BigInt, typed arrays, …) is tagged, and `fromJSON` restores it. No results: see `eventSnapshot()`.
   *
   * @throws UnserializableError naming the path of a value that can't be written
   */
  override toJSON(): Record<string, unknown> {
    return {
      event_type: this.#definition.type,
      event_schema: this.#definition.schemaName,
      event_id: this.event_id,
      event_parent_id: this.#parentId,
      event_path: this.event_path,
      event_timeout: this.event_timeout,
      event_created_at: timeText(this, 'event_created_at', this.event_created_at),
      ...keptFields(this),
      ...jsonPayload(this),
    };
  }
}

const noFields: EventFields = {};
const noPath: readonly PathStep[] = [];
