import { type Moment, never } from '../basics/clock.ts';
import { Fifo } from '../basics/fifo.ts';
import { elapsedSince } from '../basics/elapsed.ts';
import { monotonic, setImmediate } from '../basics/node-clock.ts';

/** Milliseconds after which a thread's timers and I/O get a turn, however many events are queued. */
const slice = 10;
/** Fewer events than that don't keep others waiting, unless their handlers take all the time. */
const few = 8;
const nextTick = process.nextTick.bind(process);
const ready = Promise.resolve();
/** `Promise.prototype.then` as it was: a handler may replace it, and a bus is to go on all the same. */
// oxlint-disable-next-line typescript/unbound-method -- bound to whatever promise it is called with
const thenOf = Function.prototype.call.bind(Promise.prototype.then) as (
  promise: Promise<void>,
  call: () => void,
) => Promise<void>;
const realTime = Date.now;

/**
 * When the time that is counted began, and what has happened since: whether the event loop has turned, which nothing
 * tells for free and is looked up once in a slice; how many events have started; how long handlers were called.
 */
let since: Moment = never;
let sinceReal = 0;
let turned = true;
let events = 0;
let spent = 0;

function onTurn(): void {
  turned = true;
}

/** Another event or handler is about to start. @returns whether the event loop must turn before */
export function isOverdue(at: Moment): boolean {
  events += 1;
  if (at - since < slice && at >= since && !isFalse()) return false;
  if (!turned) return (events > few || spent >= slice) && monotonic() - sinceReal >= slice;
  since = at;
  sinceReal = monotonic();
  turned = false;
  events = 0;
  spent = 0;
  setImmediate(onTurn);
  return false;
}

/**
 * A test has put a clock in place of the real one: it may stand still, and no slice would ever be over. A bus is no part
 * of what such a test is about.
 */
function isFalse(): boolean {
  return Date.now !== realTime;
}

/** When a moment was, in milliseconds of `monotonic`: within a slice, without looking at a clock. */
export function monotonicAt(moment: Moment): number {
  const inSlice = moment - since;
  return !isFalse() && inSlice >= 0 && inSlice <= slice ? sinceReal + inSlice : monotonic() - elapsedSince(moment);
}

/** Handlers were called within that time, or nobody knows for how much of it. */
export function spend(from: Moment, to: Moment): void {
  spent += to - Math.max(from, since);
}

/** Calls back within this turn, behind the microtasks that are due already. Costs a third of `queueMicrotask`. */
export function soon(call: () => void): void {
  void thenOf(ready, call);
}

/** Calls back within this turn, when no microtask is left; to be called from one. */
export function afterMicrotasks(call: () => void): void {
  nextTick(call);
}

/** Buses that go on when timers and I/O have had their turn, in the order in which they had to break off. */
const waiting = new Fifo<() => void>();

/**
 * Calls back when timers and I/O have had their turn, and all that were waiting for that before: each gets a slice of its
 * own, so that a bus with a long queue doesn't keep the others from theirs.
 */
export function afterTurn(call: () => void): void {
  waiting.push(call);
  setImmediate(resume);
}

function resume(): void {
  if (!turned && monotonic() - sinceReal >= slice) setImmediate(resume);
  else waiting.shift()?.();
}
