import type { EventResult } from '@threadbus/core';
import { hasTransfer } from '@threadbus/core/internal';
import { LinkError } from '@threadbus/link';
import { type RemoteBus, sendCall } from '@threadbus/link/internal';
import { monotonic } from '../thread/monotonic.ts';
import type { PoolCall } from './pool-call.ts';
import type { PoolLines } from './pool-lines.ts';
import { CallTarget } from './pool-port.ts';
import type { RunTimes } from './run-times.ts';
import type { TakeWatch } from './take-watch.ts';
import { refusedError } from './thread-errors.ts';

/** What the thread is told of a call that was taken back. */
const takenBack = new LinkError('The call goes to another thread.');

/**
 * The calls that a thread was given: the one whose turn it is, and those *ahead* of their turn, in the order in which it
 * will take them.
 *
 * Until the thread takes one that may be taken back (see Desk), and go to another as if nothing had been. So an event
 * whose buffers would move isn't sent ahead; nor one that the thread has already, for another handler: its answer would
 * wait for both.
 */
export class GivenCalls {
  readonly #watch: TakeWatch;
  readonly #lines: PoolLines;
  readonly #done: (at: number) => void;
  readonly #end: (error: Error) => void;
  #ahead: PoolCall[] = [];
  /** Whose turn it is. */
  current: PoolCall | null = null;

  /**
   * @param done told when the call whose turn it was has its answer, at what moment in monotonic seconds; perhaps at once, if its event can't be sent
   * @param end ends the thread, which won't take the call whose turn it is, though nobody has ended that: it is broken
   */
  constructor(watch: TakeWatch, lines: PoolLines, done: (at: number) => void, end: (error: Error) => void) {
    this.#watch = watch;
    this.#lines = lines;
    this.#done = done;
    this.#end = end;
  }

  /** Calls ahead. */
  get ahead(): number {
    return this.#ahead.length;
  }

  /** Seconds that those are likely to take. */
  expected(lately: RunTimes): number {
    const [first] = this.#ahead;
    return first === undefined ? 0 : lately.mean(first.entry) * this.#ahead.length;
  }

  /** Whether that call may be sent behind the others. */
  takesAhead({ event }: PoolCall): boolean {
    if (this.current === null || this.current.event === event || !this.#watch.hasRoom || hasTransfer(event))
      return false;
    return !this.#ahead.some((call) => call.event === event);
  }

  /** Sends a call whose turn it is: it leaves at once. */
  sendNow(call: PoolCall, module: number): void {
    const line = this.#lines.of(call.bus);
    const outbox = line.link?.outbox;
    outbox?.gather();
    this.#send(call, module, line);
    outbox?.release();
  }

  /** Sends a call ahead: it leaves at the end of the turn, with others. */
  sendAhead(call: PoolCall, module: number): void {
    this.#ahead.push(call);
    this.#send(call, module, this.#lines.of(call.bus));
  }

  #send(call: PoolCall, module: number, line: RemoteBus): void {
    this.#watch.give(call);
    const { number } = call;
    const part = sendCall(line.outgoing, new CallTarget(number, module), call.run, call.context, (result) => {
      if (call.number === number) this.#answered(call, result);
    });
    // An event that can't be sent has its answer by now, and the thread perhaps another call.
    if (call.number === number) call.part = part;
  }

  /** The turn of the next one has come. @returns null if there is none */
  next(): PoolCall | null {
    this.current = this.#ahead.shift() ?? null;
    return this.current;
  }

  /** One that is ahead was ended from outside: it never begins, or ends when its turn is known to have come. */
  ended(call: PoolCall, reason: Error): void {
    if (this.#abandon(call, reason)) this.#remove(call);
    else call.part?.cancel(reason);
  }

  /** Takes the first one back that the thread has not begun with. */
  takeFirst(): PoolCall | null {
    const at = this.#ahead.findIndex((call) => this.#abandon(call, takenBack));
    return at < 0 ? null : (this.#ahead.splice(at, 1)[0] as PoolCall);
  }

  /** Takes all back that are ahead and that the thread has not begun with. @returns those, in order */
  takeAll(): PoolCall[] {
    if (this.#ahead.length === 0) return this.#ahead;
    const taken: PoolCall[] = [];
    const begun: PoolCall[] = [];
    for (const call of this.#ahead) (this.#abandon(call, takenBack) ? taken : begun).push(call);
    this.#ahead = begun;
    return taken;
  }

  /** The thread is lost: those ahead that it had begun with fail. @returns the others, in order */
  lose(error: Error): PoolCall[] {
    const taken = this.takeAll();
    for (const call of this.#ahead) call.fail(error);
    this.#ahead = [];
    return taken;
  }

  /** The pool is stopped. */
  fail(error: Error): void {
    const { current } = this;
    if (current !== null) {
      // Decided first, and told: a call that the thread has taken in this moment is about to begin.
      if (!this.#watch.withdraw(current)) this.#watch.look(current);
      current.part?.cancel(error);
      current.fail(error);
    }
    for (const call of this.lose(error)) call.fail(error);
  }

  #answered(call: PoolCall, result: EventResult | undefined): void {
    const at = monotonic();
    const takenAt = this.#watch.takenAt(call);
    if (this.current !== call) {
      call.number = 0;
      // Ahead of its turn, because its event can't be sent.
      if (this.#remove(call)) call.answer(result, takenAt, at);
      return;
    }
    if (result === undefined && call.state !== 'settled') {
      this.#end(refusedError(call.handlerName));
      if (this.current !== call) return;
    }
    call.number = 0;
    this.current = null;
    this.#watch.done();
    call.answer(result, takenAt, at);
    this.#done(at);
  }

  /** @returns false if it isn't ahead */
  #remove(call: PoolCall): boolean {
    const at = this.#ahead.indexOf(call);
    if (at >= 0) this.#ahead.splice(at, 1);
    return at >= 0;
  }

  /** @returns false if the thread has begun with it */
  #abandon(call: PoolCall, reason: Error): boolean {
    if (!this.#watch.withdraw(call)) return false;
    const { part } = call;
    call.number = 0;
    if (part !== null) this.#lines.of(call.bus).outgoing.abandon(part, reason);
    return true;
  }
}
