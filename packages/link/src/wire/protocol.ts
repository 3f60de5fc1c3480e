/**
 * What two linked buses say to each other. Types and numbers only; who says what when is in link.ts.
 *
 * One message is one frame: a flat array of operations, each a kind followed by its fields, and behind them the frame's
 * number, from 1. Frames arrive in the order in which they were sent, and so does everything in them: a child's EVENT
 * precedes the RESULTS of its parent. A frame that is missing shows in the number of the next.
 * Nothing here needs shared memory or a MessagePort; any transport that keeps order and clones data will do.
 */
export const protocolVersion = 5;
/** Older versions that this side speaks too, down to this one. */
export const oldestVersion = 5;

/**
 * First operation of each side: newest protocol version that it speaks, bus name, bus id, how ids are made here
 * (IdOrigin), the time in epoch milliseconds from which EVENT and RESULT count theirs (small integers cost less than
 * dates), the oldest version that it speaks, and the name of the clock that its machine shares. The first of them has
 * stood there in all versions: who finds none that both speak says so, and closes.
 */
export const HELLO = 1;
/**
 * number, target, kind, id, createdAt, jump, more, shape, count, and so many values: an event for `target`, which is 0
 * for the bus at the other end and else a subscription there. Answered by RESULT or RESULTS; from then on its number may
 * be another event's. An event that was made on the sender's side has its order there as `id`. Most have nothing `more`
 * to say: then it is null. The values are the payload's fields, by the names of the shape; or with a shape of 0 the
 * payload as one value.
 */
export const EVENT = 2;
/** number, outcome: all that became of an EVENT; sent once everything that it needs is done. */
export const RESULTS = 3;
/**
 * A handler awaits the event: run it, and what its completion needs, ahead of the queue. With a negative number it is the
 * event of that offer.
 */
export const PROMOTE = 4;
/** End the event's handlers; answered by RESULTS like any other. */
export const CANCEL = 5;
/** id, pattern, description: register a subscription; its events come back as EVENTs with that target. */
export const SUBSCRIBE = 6;
export const UNSUBSCRIBE = 7;
/**
 * id, pattern, since, sharedSince: offer every event that matches the pattern, as it is dispatched, until UNEXPECT; first
 * those that were dispatched there since then, while this was on its way. `sharedSince` is milliseconds of the
 * clock that nobody sets; where the sides share none, `since` stands for it, in epoch milliseconds.
 */
export const EXPECT = 8;
/** An event for expectation `id`; kept by the sender until it hears that this one, or none up to it, is taken. */
export const OFFER = 9;
/** The expectation is over; the event of offer `taken` (0 = none) is followed: RESULTS come when it is complete. */
export const UNEXPECT = 10;
/** As UNEXPECT with a taken offer, but the expectation goes on: it is a stream's. Negative: none up to that offer is. */
export const TAKE = 21;
/** Answered by PONG as soon as it is read: shows that the other side looks at its messages. */
export const PING = 11;
export const PONG = 12;
/** A handler in a pool thread waits for an event, or goes on. */
export const SUSPENDED = 13;
export const RESUMED = 14;
/**
 * number, handler id, handler name, bus id, bus name, thread id, pid: whose results have that number from now on, and
 * which thread ran the handler (both null if that isn't known, or it has not started).
 */
export const SOURCE = 15;
/** A handler starts in a thread that nobody watches at the moment. */
export const WORKING = 16;
/**
 * number, type, schema, timeout, whether the first result completes it on a bus: what events with that kind have in
 * common from now on.
 */
export const KIND = 17;
/**
 * number, source, status, startedAt, completedAt, shape, count, and so many values that are the outcome: instead of RESULTS, when the event had one handler there,
 * which completed with a value or failed and has dispatched nothing, and when the event went to no further bus.
 */
export const RESULT = 18;
/** shape, names: what objects of that shape have as fields. */
export const SHAPE = 20;
/** expectation, error: it ends with that, because an event can't be cloned for an OFFER, or because the bus was stopped. */
export const UNOFFERED = 19;
/**
 * number, token: what awaits under that token waits, on some way, for something that the receiver's EVENT with that
 * number needs (of a negative number: its event of that offer). Goes on from thread to thread up to whatever needs that;
 * where it comes to the event that is awaited, the await is a cycle.
 */
export const PROBE = 30;
/**
 * id: a handler waits until the bus at the receiver's end is idle: run what is under way there ahead of the queue.
 * Answered by IDLE when all of that is complete.
 */
export const AWAIT_IDLE = 31;
/** id, idle: what was under way is complete, and whether more has come since. */
export const IDLE = 32;
/** id, token: as PROBE, but what is needed is whatever the AWAIT_IDLE with that id waits for. */
export const PROBE_IDLE = 33;

/** number, order: whether the other side still has that EVENT, which was the so many-th; answered by KNOWN at once. */
export const ASK = 50;
/** number, order, whether it is there: if not, and no answer came before, it is lost. */
export const KNOWN = 51;

/**
 * number: the next frame has that EVENT and nothing else. It was sent before, when there was something in a frame that
 * could not be read; if it is this, the frame is passed over.
 */
export const APART = 52;
/** number, error: that EVENT, which was APART, can't be read. -1: a frame can't be, and with that the link is over. */
export const UNREAD = 53;

/** How many fields follow each kind; of those with values, the last says how many these are. */
export const fieldCounts: Readonly<Record<number, number>> = {
  [HELLO]: 7,
  [EVENT]: 9,
  [RESULTS]: 2,
  [PROMOTE]: 1,
  [CANCEL]: 2,
  [SUBSCRIBE]: 3,
  [UNSUBSCRIBE]: 1,
  [EXPECT]: 4,
  [OFFER]: 3,
  [UNEXPECT]: 2,
  [TAKE]: 2,
  [PING]: 1,
  [PONG]: 1,
  [SUSPENDED]: 0,
  [RESUMED]: 0,
  [SOURCE]: 7,
  [WORKING]: 0,
  [KIND]: 5,
  [RESULT]: 7,
  [UNOFFERED]: 2,
  [SHAPE]: 2,
  [PROBE]: 2,
  [AWAIT_IDLE]: 1,
  [IDLE]: 2,
  [PROBE_IDLE]: 2,
  [ASK]: 2,
  [KNOWN]: 3,
  [APART]: 1,
  [UNREAD]: 2,
};

/** Where the operation that begins at `at` ends. */
export function endOf(frame: readonly unknown[], at: number): number {
  const kind = frame[at];
  const end = at + 1 + (fieldCounts[kind as number] ?? 0);
  return kind === EVENT || kind === RESULT ? end + (frame[end - 1] as number) : end;
}

/** The result that a subscription's function works for. */
export interface WireCall {
  /** Null if nobody has asked for it yet. */
  readonly resultId: string | null;
  readonly handlerId: string;
  /** How often the function may be nested in itself, where the receiver is to count that too; null = without limit. */
  readonly maxRecursionDepth?: number | null;
}

/** Name and id of each bus in an event's path; the id is null where only the name is known. */
export type WirePath = readonly (string | null)[];

/** What few events have. */
export type WireMore = readonly [
  parentId: string | null,
  path: WirePath | null,
  /** Values of portable contexts by name. */
  context: Readonly<Record<string, unknown>> | null,
  /** Which result the subscription's function works for. */
  call: WireCall | null,
  /** Number of the receiver's own EVENT that is answered only after this one, its descendant, is complete. */
  under: number | null,
  /** Pairs: another end of a link, by the id of its bus, and the nearest of the event's ancestors there, or itself. */
  ancestors: readonly string[] | null,
];

/**
 * Where an EVENT has its WireMore: null if it has nothing of it; only a handler's id if it has nothing but a call for that
 * handler, whose result nobody has asked for, and was on no other bus than the one at the sender's end. That is every call
 * of a pool, and an array with an object in it costs more than all the rest of an event.
 */
export type WireExtra = WireMore | string | null;

/** An event that travels within another operation; fields in this order. */
export type WireEvent = readonly [
  type: string,
  schema: string,
  id: string,
  parentId: string | null,
  path: WirePath | null,
  timeout: number | null | undefined,
  /** Epoch milliseconds. */
  createdAt: number,
  payload: object,
];

/** An error as it travels: structured clone alone would lose class, code and own fields. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** It bears the brand of our errors. */
  readonly ours: boolean;
  /** Names of the error's classes, the most special first. */
  readonly classes: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause?: WireValue;
  readonly errors?: readonly WireValue[];
}

/** A value as it travels: errors in their own form, everything else as it is. */
export type WireValue = { readonly error: WireError } | { readonly value: unknown };

export const PENDING = 0;
export const STARTED = 1;
/** With a value. */
export const COMPLETED = 2;
/**
 * The handler returned an event, as forwards do: with the id of the result's own or of a child of it; of another with its
 * place among the descendants if it is complete, else with that event (WireEvent).
 */
export const RETURNED_EVENT = 3;
/** With the error, in its own form. */
export const FAILED = 4;

/** One handler's result; fields in this order. */
export type WireResult = readonly [
  source: number,
  /** Null if nobody has asked for it: then each side makes its own when asked. */
  id: string | null,
  timeout: number | null,
  status: number,
  outcome: unknown,
  startedAt: number,
  completedAt: number,
  /** By their places among the outcome's descendants, each behind that of its parent. */
  children: readonly number[] | null,
];

/** What became of one event on one side. */
export type WirePart = readonly [
  path: WirePath | null,
  startedAt: number,
  completedAt: number,
  results: readonly WireResult[],
];

/**
 * What became of an event on one side, with all that its handlers have dispatched there: in a row, for a tree has any
 * depth, and nothing that is sent may.
 */
export type WireOutcome = readonly [
  /** Set if the event was not taken: why. */
  refused: WireValue | null,
  own: WirePart,
  descendants: readonly (readonly [event: WireEvent, part: WirePart])[],
];
