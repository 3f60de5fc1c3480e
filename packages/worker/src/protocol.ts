/**
 * What two linked buses say to each other. Types and numbers only; who says what when is in link.ts.
 *
 * One message is one frame: a flat array of operations, each a kind followed by its fields. Frames arrive in the order
 * in which they were sent, and so does everything in them: a child's EVENT precedes the RESULTS of its parent.
 * Nothing here needs shared memory or a MessagePort; any transport that keeps order and clones data will do.
 */
export const protocolVersion = 1;

/** First operation of each side: protocol version, bus name, bus id. */
export const HELLO = 1;
/**
 * sequence, target, event, jump, slot, call: an event for `target`, which is 0 for the bus at the other end and else a
 * subscription there. `call` says which result the subscription's function works for. Answered by RESULTS.
 */
export const EVENT = 2;
/** All that became of an EVENT: its outcome; sent once everything that it needs is done. */
export const RESULTS = 3;
/** A handler awaits the event: run it, and what its completion needs, ahead of the queue. */
export const PROMOTE = 4;
/** End the event's handlers; answered by RESULTS like any other. */
export const CANCEL = 5;
/** id, pattern, description: register a subscription; its events come back as EVENTs with that target. */
export const SUBSCRIBE = 6;
export const UNSUBSCRIBE = 7;
/** Offer every event that matches the pattern, as it is dispatched, until UNEXPECT. */
export const EXPECT = 8;
/** An event for expectation `id`; kept by the sender until UNEXPECT says which one was taken. */
export const OFFER = 9;
/** The expectation is over; the event of offer `taken` (0 = none) is followed: RESULTS come when it is complete. */
export const UNEXPECT = 10;
/** Answered by PONG as soon as it is read: shows that the other side looks at its messages. */
export const PING = 11;
export const PONG = 12;
/** A handler in a pool thread waits for an event, or goes on. */
export const SUSPENDED = 13;
export const RESUMED = 14;
/** A handler starts in a thread that nobody watches at the moment. */
export const WORKING = 15;

/** How many fields follow each kind. */
export const fieldCounts: Readonly<Record<number, number>> = {
  [HELLO]: 3,
  [EVENT]: 6,
  [RESULTS]: 2,
  [PROMOTE]: 1,
  [CANCEL]: 2,
  [SUBSCRIBE]: 3,
  [UNSUBSCRIBE]: 1,
  [EXPECT]: 2,
  [OFFER]: 3,
  [UNEXPECT]: 2,
  [PING]: 1,
  [PONG]: 1,
  [SUSPENDED]: 0,
  [RESUMED]: 0,
  [WORKING]: 0,
};

/** The result that a subscription's function works for. */
export interface WireCall {
  readonly resultId: string;
  readonly handlerId: string;
}

/** An event as it travels; fields in this order. */
export type WireEvent = readonly [
  type: string,
  schema: string,
  id: string,
  parentId: string | null,
  pathNames: readonly string[],
  pathIds: readonly (string | null)[],
  timeout: number | null,
  createdAt: string,
  payload: object,
  /** Values of portable contexts by name; null if there are none. */
  context: Readonly<Record<string, unknown>> | null,
];

/** An error as it travels: structured clone alone would lose class, code and own fields. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Names of the error's classes, the most special first. */
  readonly classes: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause?: WireValue;
  readonly errors?: readonly WireValue[];
}

/** A value as it travels: errors in their own form, everything else as it is. */
export type WireValue = { readonly error: WireError } | { readonly value: unknown };

/** One handler's result. */
export interface WireResult {
  readonly id: string;
  readonly handlerId: string;
  readonly handlerName: string;
  readonly busId: string;
  readonly busName: string;
  readonly timeout: number | null;
  readonly status: 'pending' | 'started' | 'completed' | 'error';
  readonly value?: unknown;
  /** Instead of a value: the handler returned an event, as forwards do. */
  readonly eventId?: string;
  readonly error?: WireValue;
  readonly startedAt: number;
  readonly completedAt: number;
  readonly children: readonly WireChild[];
}

/** A child of a handler: by id alone if it came from the other side, which has all of it, else with all that became of it. */
export type WireChild = { readonly known: string } | { readonly event: WireEvent; readonly outcome: WireOutcome };

/** What became of an event on one side. */
export interface WireOutcome {
  readonly pathNames: readonly string[];
  readonly pathIds: readonly (string | null)[];
  readonly startedAt: number;
  readonly completedAt: number;
  readonly results: readonly WireResult[];
  /** Set if the event was not taken: why. */
  readonly refused?: WireValue;
}
