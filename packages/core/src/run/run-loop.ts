import { type Moment, never, now } from '../basics/clock.ts';
import { activeHandler, haveGoneOn, prepareContexts, wakes } from '../event/context.ts';
import type { Delivery } from './delivery.ts';
import { Fifo } from '../basics/fifo.ts';
import type { HandlerRun } from './handler-run.ts';
import { LinkedList } from '../basics/linked-list.ts';
import { afterMicrotasks, afterTurn, isOverdue, soon, spend } from './turns.ts';

/**
 * Decides what runs next on one bus.
 *
 * A serial bus has one *slot*. The running handler holds it; a handler that awaits an event gives it up, and takes it
 * again before it goes on. Whenever the slot is free, the first of these gets it:
 *   1. claims: handlers that can go on after an await, and started events whose next handler is due, first come first
 *      served;
 *   2. awaited events, in the order in which they were awaited (those awaited together: in order of dispatch);
 *   3. the oldest event of the queue, but only when no event is *busy*, that is, has a handler in progress or to come
 *      that needs the slot.
 * So there is never more than one running handler, and an event that is awaited can start as soon as all handlers in
 * progress are suspended, which is what keeps awaits free of deadlock.
 *
 * A parallel bus has no slot: awaited events start at once, others when no event is busy; or, with `concurrency`, when
 * fewer events are busy than may be.
 *
 * Two more things are let go first. Whoever awaited an event goes on before the next one starts: a turn in which a wait
 * has ended is over, and the next begins when no microtask is left; or at once, if nothing was left to do and the next
 * event came in when he had gone on. And timers and I/O get a turn now and then, however
 * long the queue and however fast the handlers.
 */
export class RunLoop {
  readonly #serial: boolean;
  /** The handlers of one event are called one after the other. */
  readonly #inOrder: boolean;
  readonly #limit: number;
  readonly #queue = new LinkedList<Delivery>();
  readonly #awaited = new LinkedList<Delivery>();
  // A bus that has had nothing to do has none of these three.
  #gatherSoon: (() => void) | null = null;
  #pumps: (() => void) | null = null;
  #claims: Fifo<(at: Moment) => void> | null = null;
  /** Those awaited in this turn are not all in order of dispatch. */
  #disordered = false;
  #holder: HandlerRun | null = null;
  #busy = 0;
  #turn = 1;
  #scheduled = false;
  #held = false;
  /** Something was to run while held. */
  #due = false;
  /** A handler has dispatched or awaits something since the last turn. */
  #handlersAsk = false;
  /** The time, as far as it was looked up since something last came in: looking costs a tenth of a whole event. */
  #time: Moment = never;
  /** When a handler was called that went on as its call returned: the time of that return is looked up with the next. */
  #calledAt: Moment = never;
  /** Events in a row at the end of which it was the same. */
  #timeless = 0;
  #pumping = false;
  /** Waits in this thread that had ended before the last turn. */
  #wakes = wakes;
  /** What `wakes` was when the next turn was asked for, if whoever had been told to go on does so before it. */
  #clearAt = wakes;
  /** Events have come in whose dispatchers have not had a microtask to await them since. */
  #fresh = false;
  /** Asked before each event; true = go on later, the answerer calls `schedule`. Lets a thread look at its messages. */
  pause: ((at: Moment) => boolean) | null = null;

  /** Told before each turn, in which one handler or many may run without a break. */
  onTurn: (() => void) | null = null;

  /** @param limit how many events may be busy when another one starts that nobody awaits */
  constructor(parallelHandlers: boolean, limit: number) {
    prepareContexts();
    this.#serial = !parallelHandlers && limit === 1;
    this.#inOrder = !parallelHandlers;
    this.#limit = limit;
  }

  /** Events that have not started. */
  get queued(): number {
    return this.#queue.size + this.#awaited.size;
  }

  enqueue(delivery: Delivery): void {
    this.#time = never;
    if (activeHandler.getStore() !== undefined) this.#handlersAsk = true;
    this.#fresh = true;
    if (delivery.lifecycle.awaited) this.#pushAwaited(delivery);
    else this.#queue.push(delivery);
    this.schedule();
  }

  /** Moves a queued delivery ahead of the queue. */
  promote(delivery: Delivery): void {
    if (delivery.awaitedTurn > 0) return;
    this.#handlersAsk = true;
    this.#queue.remove(delivery);
    this.#pushAwaited(delivery);
    this.schedule();
  }

  unqueue(delivery: Delivery): void {
    (delivery.awaitedTurn > 0 ? this.#awaited : this.#queue).remove(delivery);
  }

  /** Events that have a handler in progress or to come. */
  get busy(): number {
    return this.#busy;
  }

  /** A delivery has started: it is busy until it leaves. */
  enter(): void {
    this.#busy += 1;
  }

  leave(): void {
    this.#busy -= 1;
    this.schedule();
  }

  take(run: HandlerRun): void {
    if (this.#serial) this.#holder = run;
  }

  release(run: HandlerRun): void {
    if (this.#holder !== run) return;
    this.#holder = null;
    this.schedule();
  }

  whenFree(run: HandlerRun, go: () => void): void {
    if (!this.#serial || this.#holder === run || (this.#holder === null && !this.#isClaimed())) go();
    else this.claim(go);
  }

  /** Asks for the slot, in turn. */
  claim(go: (at: Moment) => void): void {
    (this.#claims ??= new Fifo()).push(go);
    this.schedule();
  }

  /** Runs what can run, soon: never within the call that made it possible. */
  schedule(): void {
    if (this.#scheduled || this.#pumping || (this.queued === 0 && !this.#isClaimed())) return;
    if (this.#held) {
      this.#due = true;
      return;
    }
    this.#scheduled = true;
    this.#clearAt = haveGoneOn(this.#wakes) ? wakes : this.#wakes;
    soon((this.#gatherSoon ??= () => this.#gather()));
  }

  /** Nothing starts until `go`: more is about to come in. */
  hold(): void {
    this.#held = true;
  }

  /** Runs what has come in since `hold`, at once; for callers with nobody above them on the stack. */
  go(): void {
    this.#held = false;
    if (!this.#due) return;
    this.#due = false;
    if (this.#scheduled) return;
    // What comes in a frame is awaited at the other end, if at all.
    this.#fresh = false;
    // What a handler has dispatched while its function was called from a frame, it may be about to await.
    if (this.#handlersAsk) this.schedule();
    else this.#pump();
  }

  // A handler that awaits a Dispatch gets here one microtask later than with a result helper called in the same breath.
  // Then the loop lets all microtasks pass that are due, so that events awaited together start in their order.
  #gather(): void {
    if (this.#wakes !== wakes && this.#clearAt !== wakes) afterMicrotasks(this.#pumpSoon());
    else if (this.#handlersAsk) soon(this.#pumpSoon());
    else this.#pump();
  }

  #pump(): void {
    this.#scheduled = false;
    this.#handlersAsk = false;
    this.#pumping = true;
    if (this.#disordered) this.#orderAwaited();
    this.#turn += 1;
    this.#time = never;
    this.#wakes = wakes;
    // Who awaits the first of several in the breath in which he dispatched them has not come to it yet.
    const many = !this.#fresh || this.queued < 2;
    this.#fresh = false;
    this.onTurn?.();
    try {
      let more = this.#holder === null && this.#runNext() && many;
      while (more && this.#holder === null && this.#wakes === wakes) more = this.#runNext();
    } finally {
      this.#pumping = false;
    }
    if (!many || this.#wakes !== wakes || this.#awaited.first?.awaitedTurn === this.#turn) this.schedule();
    // What was there before they were told to go on lets even those pass who come late.
    this.#clearAt = this.#wakes;
  }

  #pumpSoon(): () => void {
    return (this.#pumps ??= () => this.#pump());
  }

  #isClaimed(): boolean {
    return this.#claims !== null && this.#claims.size > 0;
  }

  /** @returns whether there was something to run */
  #runNext(): boolean {
    if (!this.#isClaimed() && this.#awaited.first === null && (this.#busy >= this.#limit || this.#queue.size === 0))
      return false;
    if (this.#time === never) this.#lookUpTime();
    if (isOverdue(this.#time)) {
      this.#scheduled = true;
      afterTurn(this.#pumpSoon());
      return false;
    }
    const claim = this.#claims?.shift();
    if (claim !== undefined) {
      claim(this.#time);
      this.#time = never;
      return true;
    }
    if (this.pause?.(this.#time) === true) return false;
    // Awaited just now: more that is awaited together with it may be on its way.
    if (this.#awaited.first?.awaitedTurn === this.#turn) return false;
    let delivery = this.#awaited.shift();
    if (delivery === null && this.#busy < this.#limit) delivery = this.#queue.shift();
    if (delivery === null) return false;
    delivery.start(this.#time);
    const end = delivery.advance(this.#inOrder, this.#time);
    if (this.#time === never) return true;
    if (end === never) {
      this.#calledAt = this.#time;
      this.#time = never;
      return true;
    }
    if (end !== this.#time) spend(this.#time, end);
    // Forwards and events without handlers take time too, which nobody has looked up.
    this.#timeless = end === this.#time ? this.#timeless + 1 : 0;
    this.#time = this.#timeless % 64 === 63 ? never : end;
    return true;
  }

  #lookUpTime(): void {
    this.#time = now();
    if (this.#calledAt !== never) spend(this.#calledAt, this.#time);
    this.#calledAt = never;
  }

  /** Behind the events that were awaited before; among those awaited in the same turn, in order of dispatch. */
  #pushAwaited(delivery: Delivery): void {
    delivery.awaitedTurn = this.#turn;
    const { last } = this.#awaited;
    // None of them starts in this turn, so that they need their order at its end: putting each in its place would cost as
    // much as their number squared.
    if (last?.awaitedTurn === this.#turn && last.lifecycle.sequence > delivery.lifecycle.sequence)
      this.#disordered = true;
    this.#awaited.push(delivery);
  }

  #orderAwaited(): void {
    this.#disordered = false;
    const together: Delivery[] = [];
    for (let { last } = this.#awaited; last?.awaitedTurn === this.#turn; { last } = this.#awaited) {
      this.#awaited.remove(last);
      together.push(last);
    }
    together.sort((a, b) => a.lifecycle.sequence - b.lifecycle.sequence);
    for (const delivery of together) this.#awaited.push(delivery);
  }
}
