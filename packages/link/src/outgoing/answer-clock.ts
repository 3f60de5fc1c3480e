import { HandlerTimeoutError, startTimer, type Timer } from '@threadbus/core/internal';
import type { Outgoing } from './outgoing.ts';
import type { RemotePart } from './remote-part.ts';

/** Seconds between two looks, while something is under way. */
const interval = 1;
/** Looks without news after which the other side is asked whether it still has the oldest event. */
const quiet = 2;
/** Looks beyond an event's own time. */
const grace = 5;

/** How the clock asks. */
export interface Asking {
  /** Frames that have come so far. */
  readonly heard: number;
  /** Asks whether the other side has the event. An answer is news, and that it hasn't is the end of the link. */
  ask(part: RemotePart): void;
}

/** Who knows more of the other side than what it says. */
export interface SilenceWatch {
  /** It has said nothing for so many looks since it was asked; 0 = it is being asked. */
  silent(looks: number): void;
}

/**
 * Ends what the other side will not answer for any more, as far as nobody else watches it.
 *
 * While it is silent it is asked whether it still has what was sent. If it has, all is well: it may take its time. If it
 * hasn't, or frames were lost on the way, the link is over. If it says nothing either, it is blocked or gone without a
 * word; once that takes longer than any event which it has may run, each event is ended whose time is over.
 *
 * Time is counted in looks of this thread: if it was busy itself, the news it has not read yet are not held against the
 * other side.
 */
export class AnswerClock {
  readonly #outgoing: Outgoing;
  readonly #asking: () => Asking | null;
  #timer: Timer | null = null;
  #looks = 0;
  /** Frames that had come at the last look, and the first look at which it was as many. */
  #heard = 0;
  #silentSince = 0;
  /** The look at which the other side was asked, if it has said nothing since. */
  #askedAt: number | null = null;
  readonly #watch: SilenceWatch | undefined;

  /** @param asking null while there is no link */
  constructor(outgoing: Outgoing, asking: () => Asking | null, watch?: SilenceWatch) {
    this.#outgoing = outgoing;
    this.#asking = asking;
    this.#watch = watch;
  }

  /** Something is under way; it stops by itself when nothing is. */
  start(): void {
    if (this.#timer !== null) return;
    this.#silentSince = this.#looks;
    this.#again();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #again(): void {
    this.#timer = startTimer(interval, () => this.#look(), false);
  }

  #look(): void {
    this.#timer = null;
    if (this.#outgoing.size === 0) return;
    this.#looks += 1;
    this.#outgoing.looks = this.#looks;
    this.#again();
    const asking = this.#asking();
    if (asking === null) return;
    if (asking.heard !== this.#heard) {
      this.#heard = asking.heard;
      this.#silentSince = this.#looks;
      this.#askedAt = null;
    } else if (this.#askedAt !== null) {
      this.#watch?.silent(this.#looks - this.#askedAt);
      this.#endOverdue();
    } else if (this.#looks - this.#silentSince >= quiet) this.#ask(asking);
  }

  #ask(asking: Asking): void {
    const [oldest] = this.#outgoing.onTheWire();
    if (oldest === undefined) return;
    this.#askedAt = this.#looks;
    this.#watch?.silent(0);
    asking.ask(oldest);
  }

  #endOverdue(): void {
    const parts = this.#outgoing.onTheWire();
    const longest = Math.max(...parts.map(({ event }) => event.event_timeout ?? Infinity));
    if (this.#looks - this.#silentSince < longest + grace) return;
    for (const part of parts) {
      const { event_timeout: timeout } = part.event;
      if (timeout !== null && this.#looks - part.sentLook >= timeout + grace) {
        this.#outgoing.abandon(part, this.#overdueError(part, timeout));
      }
    }
  }

  #overdueError({ event }: RemotePart, timeout: number): HandlerTimeoutError {
    const { name: busName } = this.#outgoing.bus;
    const { event_type: eventType, event_id: eventId } = event;
    return new HandlerTimeoutError(
      `${busName} did not complete ${eventType}#${eventId.slice(-4)} within ${timeout} s, and says nothing any more.`,
      { busName, handlerName: 'dispatch', eventType, eventId },
      timeout,
    );
  }
}
