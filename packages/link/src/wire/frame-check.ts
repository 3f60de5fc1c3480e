import { isReserved } from '@threadbus/core/internal';
import { maxKinds } from './kind-table.ts';
import { malformed } from './malformed.ts';
import * as op from './protocol.ts';
import { maxNames, maxShapes } from './shapes.ts';
import { maxSources } from './source-table.ts';

/**
 * What comes is checked before it is believed: that a frame is a row of operations, each with as many fields as its kind
 * has, each of the type that the protocol gives it. What a field refers to is looked up where it is used.
 *
 * EVENT and RESULT are most of what is said, so they are read without a table.
 */
type Check = (value: unknown) => boolean;

/** More than any side gives out; a table that is filled with holes up to a number is no small thing. */
const maxNumber = 2 ** 24;

const isNumber: Check = (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) < maxNumber;
const isInteger: Check = (value) => Number.isSafeInteger(value);
/** What a Date can hold, also counted from another time. */
const latest = 4e15;

export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= -latest && value <= latest;
}
const isText: Check = (value) => typeof value === 'string';
const isName: Check = (value) => typeof value === 'string' && value !== '';
const isNameOrNull: Check = (value) => value === null || isName(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const isObject: Check = (value) => typeof value === 'object' && value !== null;
const isLimit: Check = (value) => value === null || (Number.isFinite(value) && (value as number) > 0);
/** An event's, which may state none. */
const isStated: Check = (value) => value === undefined || isLimit(value);
const anything: Check = () => true;

function below(limit: number): Check {
  return (value) => isNumber(value) && (value as number) < limit;
}

/** A tuple: further members are of newer versions. */
function rowOf(...checks: readonly Check[]): Check {
  return (value) => Array.isArray(value) && value.length >= checks.length && checks.every((is, at) => is(value[at]));
}

function listOf(is: Check): Check {
  return (value) => Array.isArray(value) && value.every(is);
}

function orNull(is: Check): Check {
  return (value) => value === null || is(value);
}

const isIdOrNull = orNull((value) => isInteger(value) && (value as number) >= 0);

function fieldsOf(checks: Readonly<Record<string, Check>>): Check {
  const fields = Object.entries(checks);
  return (value) => isObject(value) && fields.every(([name, is]) => is((value as never)[name]));
}

const isPath = orNull(
  (value) =>
    Array.isArray(value) &&
    value.length % 2 === 0 &&
    value.every((each, at) => (at % 2 === 0 ? isName : isNameOrNull)(each)),
);

/** A payload's names become an event's properties: none may be one that events need themselves. */
export function isPayload(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.keys(value).some(isReserved);
}

/** The names of an object's fields: set one by one on a fresh object. */
const areNames: Check = (value) =>
  Array.isArray(value) &&
  value.length <= maxNames &&
  value.every((name) => typeof name === 'string' && name !== '__proto__');

const isDepth: Check = (value) => value === undefined || value === null || isNumber(value);
const isCall = fieldsOf({ resultId: isNameOrNull, handlerId: isName, maxRecursionDepth: isDepth });
/** Pairs. */
const areAncestors: Check = (value) => Array.isArray(value) && value.length % 2 === 0 && value.every(isName);
const isMore = orNull(
  rowOf(isNameOrNull, isPath, orNull(isObject), orNull(isCall), orNull(isNumber), orNull(areAncestors)),
);
const isWireEvent = rowOf(isName, isText, isName, isNameOrNull, isPath, isStated, isTime, isPayload);
/** An event that travels within something else. */
export function isEvent(value: unknown): value is op.WireEvent {
  return isWireEvent(value);
}
const isChildren = orNull(listOf(isNumber));
const isResult = rowOf(isNumber, isNameOrNull, isLimit, below(op.FAILED + 1), anything, isTime, isTime, isChildren);
const isPart = rowOf(isPath, isTime, isTime, listOf(isResult));
const isOutcomeRow = rowOf(orNull(isObject), isPart, listOf(rowOf(isWireEvent, isPart)));

/** Every child stands behind its parent, so nothing is its own descendant. */
function isOutcome(value: unknown): boolean {
  if (!isOutcomeRow(value)) return false;
  const [, own, descendants] = value as op.WireOutcome;
  const follows = (at: number, [, , , results]: op.WirePart): boolean =>
    results.every(([, , , , , , , children]) =>
      (children ?? []).every((child) => child > at && child < descendants.length),
    );
  return follows(-1, own) && descendants.every(([, part], at) => follows(at, part));
}

const isDescription = fieldsOf({
  name: isText,
  once: isFlag,
  timeout: isStated,
  forward: orNull(fieldsOf({ id: isName, name: isName })),
  same: (value) => value === undefined || value === null || isNumber(value),
});

/** By kind; an EVENT's and a RESULT's fields are checked by `checkOperation` itself, a HELLO's by whoever shakes hands. */
const checks: Readonly<Record<number, readonly Check[]>> = {
  [op.HELLO]: [],
  [op.EVENT]: [],
  [op.RESULTS]: [isInteger, isOutcome],
  [op.PROMOTE]: [isInteger],
  [op.CANCEL]: [isNumber, isObject],
  [op.SUBSCRIBE]: [isNumber, isName, isDescription],
  [op.UNSUBSCRIBE]: [isNumber],
  [op.EXPECT]: [isNumber, isName, isTime, isTime],
  [op.OFFER]: [isNumber, isNumber, isWireEvent],
  [op.UNEXPECT]: [isNumber, isNumber],
  [op.TAKE]: [isNumber, isInteger],
  [op.PING]: [isInteger],
  [op.PONG]: [isInteger],
  [op.SUSPENDED]: [],
  [op.RESUMED]: [],
  [op.SOURCE]: [below(maxSources + 1), isName, isText, isName, isName, isIdOrNull, isIdOrNull],
  [op.WORKING]: [],
  [op.KIND]: [below(maxKinds + 1), isName, isText, isStated, isFlag],
  [op.RESULT]: [],
  [op.UNOFFERED]: [isNumber, isObject],
  [op.PROBE]: [isInteger, isName],
  [op.AWAIT_IDLE]: [isNumber],
  [op.IDLE]: [isNumber, isFlag],
  [op.PROBE_IDLE]: [isNumber, isName],
  [op.ASK]: [isNumber, isInteger],
  [op.KNOWN]: [isNumber, isInteger, isFlag],
  [op.APART]: [isNumber],
  [op.UNREAD]: [isInteger, isObject],
  [op.SHAPE]: [below(maxShapes + 1), areNames],
};

/**
 * @param end where the frame's operations end
 * @returns where the operation that begins at `at` ends
 * @throws MalformedFrame
 */
export function checkOperation(frame: readonly unknown[], at: number, end: number): number {
  const kind = frame[at] as number;
  const kindChecks = checks[kind];
  const count = op.fieldCounts[kind];
  if (typeof kind !== 'number' || kindChecks === undefined || count === undefined)
    return malformed('an operation of unknown kind');
  let next = at + 1 + count;
  if (kind === op.EVENT) {
    if (next > end || !isEventRow(frame, at + 1)) return malformed('an EVENT');
    next += frame[next - 1] as number;
  } else if (kind === op.RESULT) {
    if (next > end || !isResultRow(frame, at + 1)) return malformed('a RESULT');
    next += frame[next - 1] as number;
  } else if (next <= end) {
    for (let field = 0; field < kindChecks.length; field += 1) {
      if (kindChecks[field]?.(frame[at + 1 + field]) !== true)
        return malformed(`field ${field + 1} of an operation of kind ${kind}`);
    }
  }
  return next <= end ? next : malformed('a frame that ends within an operation');
}

function isEventRow(frame: readonly unknown[], at: number): boolean {
  const id = frame[at + 3];
  const more = frame[at + 6];
  return (
    isNumber(frame[at]) &&
    isInteger(frame[at + 1]) &&
    isNumber(frame[at + 2]) &&
    (typeof id === 'number' ? Number.isSafeInteger(id) && id > 0 : isName(id)) &&
    isTime(frame[at + 4]) &&
    (frame[at + 5] === 0 || frame[at + 5] === 1) &&
    (more === null || isName(more) || isMore(more)) &&
    isNumber(frame[at + 7]) &&
    isNumber(frame[at + 8])
  );
}

function isResultRow(frame: readonly unknown[], at: number): boolean {
  const status = frame[at + 2];
  return (
    isNumber(frame[at]) &&
    isNumber(frame[at + 1]) &&
    (status === op.COMPLETED || status === op.FAILED) &&
    isTime(frame[at + 3]) &&
    isTime(frame[at + 4]) &&
    isNumber(frame[at + 5]) &&
    isNumber(frame[at + 6])
  );
}
