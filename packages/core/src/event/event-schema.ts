import type { z } from 'zod';
import { zod } from './zod.ts';
import type { ZodLike } from './zod-like.ts';
import { EventValidationError, type PayloadIssue } from '../basics/errors.ts';
import { describe } from '../basics/describe.ts';
import { noOption } from '../basics/options.ts';
import { checkEventType, checkText, checkTimeout, type EventFields, fieldError } from './event-fields.ts';
import type { TrustedFields } from './trusted.ts';

/** What `extend` takes beside the payload. */
export interface EventOptions<Result extends ZodLike | undefined = ZodLike | undefined> {
  /** What handlers of the event must return; `null` and `undefined` always pass. @default the base class's */
  readonly result?: Result;
  /** Limit for each handler in seconds; null or Infinity = none. @default the base class's: 60 */
  readonly timeout?: number | null | undefined;
  /** Written behind the name in `event_schema`. @default the LIBRARY_VERSION environment variable, or '1.0.0' */
  readonly version?: string | undefined;
  /** Running a handler twice does no harm, so that the event may be run again when a thread crashed. @default false */
  readonly idempotent?: boolean | undefined;
  /**
   * 'first': the first result that counts completes the event on its bus; handlers that run are ended, those to come are
   * cancelled, and neither counts as a failure. On a serial bus handlers run in order until one answers. @default 'all'
   */
  readonly completion?: 'all' | 'first' | undefined;
}

/** What an event class is made of. */
export interface EventDefinition {
  readonly type: string;
  /** `Name@version`. */
  readonly schemaName: string;
  readonly payload: z.ZodObject | null;
  readonly result: ZodLike | null;
  /** Undefined if neither the class nor the event has said anything. */
  readonly timeout: number | null | undefined;
  readonly idempotent: boolean;
  readonly completion: 'all' | 'first';
}

/** Seconds for each handler of events of which neither class, instance nor bus says anything. */
export const defaultTimeout = 60;

export const baseDefinition: EventDefinition = {
  type: 'BaseEvent',
  schemaName: schemaName('BaseEvent', undefined),
  payload: null,
  result: null,
  timeout: undefined,
  idempotent: false,
  completion: 'all',
};

const optionNames = ['result', 'timeout', 'version', 'idempotent', 'completion'];
const namedDefinitions = new WeakMap<object, EventDefinition>();

/** The definition of a class that extends BaseEvent by itself: any payload, the class's name as type. */
export function namedDefinition(Class: { readonly name: string }): EventDefinition {
  let definition = namedDefinitions.get(Class);
  if (definition === undefined) {
    definition = extendDefinition(baseDefinition, Class.name, {}, {});
    namedDefinitions.set(Class, definition);
  }
  return definition;
}

/** The definition of a class that adds to `base`: fields add up, the rest is overridden. */
export function extendDefinition(
  base: EventDefinition,
  name: unknown,
  shape: unknown,
  options: EventOptions,
): EventDefinition {
  const type = checkEventType(name);
  checkOptions(type, options);
  return {
    type,
    schemaName: schemaName(type, options.version),
    payload: mergePayload(type, base.payload, shape),
    result: checkResultType(type, options.result) ?? base.result,
    timeout: options.timeout === undefined ? base.timeout : checkTimeout(options.timeout, type),
    idempotent: options.idempotent ?? base.idempotent,
    completion: options.completion ?? base.completion,
  };
}

function checkOptions(type: string, options: EventOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw shapeError(type, 'the options of extend to be an object, such as { timeout: 30 }', options);
  }
  const wrong = Object.keys(options).find((name) => !optionNames.includes(name));
  if (wrong !== undefined) {
    throw new EventValidationError(`${type}: ${noOption('extend', wrong, optionNames)}`, { eventType: type }, []);
  }
  const { version, idempotent, completion } = options;
  if (completion !== undefined && completion !== 'all' && completion !== 'first') {
    throw shapeError(type, "completion to be 'all' or 'first'", completion);
  }
  if (version !== undefined && typeof version !== 'string') throw shapeError(type, 'version to be a string', version);
  if (idempotent !== undefined && typeof idempotent !== 'boolean') {
    throw shapeError(type, 'idempotent to be true or false', idempotent);
  }
}

function schemaName(type: string, version: string | undefined): string {
  return `${type}@${version ?? process.env['LIBRARY_VERSION'] ?? '1.0.0'}`;
}

/** Names that a payload may not use: events' own, and those that would change what an object is. */
const reserved = new Set(['__proto__', 'then', 'constructor']);

export function reserveNames(names: readonly string[]): void {
  for (const name of names) reserved.add(name);
}

/** A name that no field of a payload may have. */
export function isReserved(name: string): boolean {
  return name.startsWith('event_') || reserved.has(name);
}

/** The type of an event of the class; only plain BaseEvents may choose theirs. */
export function checkClassType(definition: EventDefinition, given: string | undefined): string {
  if (given === undefined || given === definition.type) return definition.type;
  if (definition.payload === null) return checkEventType(given);
  throw fieldError('event_type', `'${definition.type}', the type of its class`, given, definition.type);
}

/** The definition of one event: its class's, or one of its own if it was given other fields. */
export function givenDefinition(
  definition: EventDefinition,
  type: string,
  { event_schema, event_timeout, event_result_type }: EventFields,
): EventDefinition {
  const ownName = type === definition.type ? definition.schemaName : schemaName(type, undefined);
  return variant(definition, {
    ...definition,
    type,
    schemaName: event_schema === undefined ? ownName : checkText('event_schema', event_schema, type),
    timeout: event_timeout === undefined ? definition.timeout : checkTimeout(event_timeout, type),
    result: event_result_type === undefined ? definition.result : checkResultField(event_result_type, type),
  });
}

type OwnDefinition = Pick<EventDefinition, 'type' | 'schemaName' | 'timeout' | 'result' | 'completion'>;

/** The last variant that was made for a trusted event: most of them in a row are alike. */
let trusted = { of: baseDefinition, variant: baseDefinition };

/** The same for an event whose fields another thread has checked. */
export function trustedDefinition(definition: EventDefinition, given: TrustedFields): EventDefinition {
  const { type, schema, timeout, completion = definition.completion } = given;
  const own = { type, schemaName: schema, timeout, result: definition.result, completion };
  if (definition !== trusted.of || !isSame(trusted.variant, own)) {
    trusted = { of: definition, variant: variant(definition, own) };
  }
  return trusted.variant;
}

function variant(definition: EventDefinition, own: OwnDefinition): EventDefinition {
  return isSame(definition, own) ? definition : { ...definition, ...own };
}

function isSame(definition: EventDefinition, own: OwnDefinition): boolean {
  const { type, schemaName: name, timeout, result, completion } = definition;
  return (
    own.type === type &&
    own.schemaName === name &&
    own.timeout === timeout &&
    own.result === result &&
    own.completion === completion
  );
}

/** A payload is an object, and none of its fields is in the way of an event's own. */
export function checkPayload(payload: unknown, type: string): object {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw fieldError('the payload', 'an object', payload, type);
  }
  for (const name of Object.keys(payload)) {
    if (!isReserved(name)) continue;
    throw new EventValidationError(
      `${type}: a payload can't have a field called '${name}', events use that name themselves. ${reservedHint(name, type)}`,
      { eventType: type },
      [{ path: name, message: 'reserved name' }],
    );
  }
  return payload;
}

function reservedHint(name: string, type: string): string {
  return name.startsWith('event_')
    ? `Framework fields go into the constructor's second argument: new ${type}(payload, { ${name}: … }).`
    : 'Rename the field.';
}

/** Checks a payload against its schema; a new object in any case. */
export function validatePayload(definition: EventDefinition, payload: object, type: string): object {
  if (definition.payload === null) return payload;
  let outcome;
  try {
    outcome = definition.payload.safeParse(payload);
  } catch (cause) {
    throw new EventValidationError(
      `${type}: the payload's schema could not be run: ${(cause as Error).message}`,
      { eventType: type },
      [],
      { cause },
    );
  }
  if (outcome.success) return outcome.data;
  const issues = payloadIssues(outcome.error);
  throw new EventValidationError(
    `${type}: the payload is not valid: ${issueText(issues)}`,
    { eventType: type },
    issues,
    {
      cause: outcome.error,
    },
  );
}

/** `items[0].price` */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${String(key)}`)).join('');
}

function payloadIssues({ issues }: z.ZodError): PayloadIssue[] {
  return issues.map(({ path, message }) => ({ path: pathText(path), message }));
}

/** What the type makes of a handler's value. */
export function parseResult(type: ZodLike, value: unknown): ReturnType<z.ZodType['safeParse']> {
  return zod().safeParse(type as unknown as z.ZodType, value);
}

/** What zod has to say in one line. */
export function problemText(error: unknown): string {
  if (isZodError(error)) return issueText(payloadIssues(error));
  return error instanceof Error ? error.message : String(error);
}

/** Also of another copy of zod. */
function isZodError(error: unknown): error is z.ZodError {
  return error instanceof Error && Array.isArray((error as Partial<z.ZodError>).issues);
}

function issueText(issues: readonly PayloadIssue[]): string {
  const shown = issues.slice(0, 5).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const more = issues.length > shown.length ? `; and ${issues.length - shown.length} more` : '';
  return `${shown.join('; ')}${more}`;
}

/** The two together, as an object of this package's zod, whatever copy of zod the fields are made with. */
function mergePayload(type: string, base: z.ZodObject | null, given: unknown): z.ZodObject {
  const own = toDefinition(type, given);
  for (const name of Object.keys(own.shape)) {
    if (!isReserved(name)) continue;
    throw new EventValidationError(
      `${type}: a payload field can't be called '${name}', events use that name themselves. Rename the field; framework fields such as event_timeout go into the constructor's second argument.`,
      { eventType: type },
      [{ path: name, message: 'reserved name' }],
    );
  }
  const before: Partial<ObjectDefinition> = base === null ? {} : base._zod.def;
  const checks = [...(before.checks ?? []), ...(own.checks ?? [])];
  const { ZodObject, unknown } = zod();
  return new ZodObject({
    type: 'object',
    // Fields may be getters, of types that contain themselves: they are not to be looked at yet.
    shape: Object.defineProperties(
      {},
      { ...Object.getOwnPropertyDescriptors(before.shape ?? {}), ...Object.getOwnPropertyDescriptors(own.shape) },
    ),
    // Unknown fields are kept unless the schema says otherwise, so that a bus that knows less forwards everything.
    catchall: own.catchall ?? before.catchall ?? unknown(),
    ...(checks.length > 0 && { checks }),
  });
}

type ObjectDefinition = Pick<z.core.$ZodObjectDef, 'shape' | 'catchall' | 'checks'>;

function toDefinition(type: string, shape: unknown): ObjectDefinition {
  if (isSchema(shape) && shape._zod.def.type === 'object') return shape._zod.def as z.core.$ZodObjectDef;
  if (typeof shape === 'object' && shape !== null && !Array.isArray(shape) && !isSchema(shape) && !isOldSchema(shape)) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(shape))) {
      const field: unknown = descriptor.value;
      if ('value' in descriptor && !isSchema(field))
        throw shapeError(type, `${name} to be a zod type, such as z.string()`, field);
    }
    return { shape: shape as z.core.$ZodShape };
  }
  throw shapeError(type, "the payload's shape to be an object of zod types or a z.object()", shape);
}

function checkResultType(type: string, result: unknown): ZodLike | null {
  if (result === undefined) return null;
  if (isSchema(result)) return result;
  throw shapeError(type, 'result to be a zod type, such as z.string()', result);
}

/** The type that one event demands of its results. */
function checkResultField(result: unknown, type: string): ZodLike | null {
  if (result === null || isSchema(result)) return result;
  throw shapeError(type, 'event_result_type to be a zod type or null', result);
}

function isSchema(value: unknown): value is ZodLike {
  return typeof value === 'object' && value !== null && '_zod' in value;
}

/** A type of zod 3. */
function isOldSchema(value: unknown): boolean {
  const { _def: definition } = (value ?? {}) as { _def?: unknown };
  return typeof definition === 'object' && definition !== null && 'typeName' in definition;
}

function shapeError(type: string, expected: string, value: unknown): EventValidationError {
  const hint = isOldSchema(value) ? ' That is of zod 3; events are described with zod 4: npm install zod@4.' : '';
  return new EventValidationError(
    `${type}: expected ${expected}; got ${describe(value)}.${hint}`,
    { eventType: type },
    [],
  );
}
