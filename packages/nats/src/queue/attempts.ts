import { startTimer, type Timer } from '@threadbus/core/internal';
import { JetStreamError, wrongSequence } from '../jetstream/jetstream-error.ts';
import type { JetStream } from '../jetstream/jetstream.ts';

/**
 * Seconds after which it is said that an event is done: a server that is killed may have forgotten by then that it was
 * acknowledged, since it writes that down some tenths of a second later, and delivers it again.
 */
const forgetAfter = 2;

/** A start of an event, as it is written down. */
export interface Attempt {
  /** From 1. */
  readonly count: number;
  /** Of the event. */
  readonly sequence: number;
  /** Where it is written. */
  readonly entry: number;
}

/**
 * How often each event was started, written down before it is: the server's own count can't be relied on. When a worker
 * dies that had asked for more, 2.9 counts a delivery to nobody, or begins anew.
 */
export class Attempts {
  readonly #jetstream: JetStream;
  readonly #stream: string;
  readonly #subjectOf: (sequence: number) => string;
  /** Entries of events that are done: those to be forgotten next, and the younger ones. */
  #old: number[] = [];
  #over: number[] = [];
  /** The cuts of the connection that were known when the first of them came. */
  #cuts = 0;
  #telling: Timer | null = null;

  constructor(jetstream: JetStream, stream: string, subjectOf: (sequence: number) => string) {
    this.#jetstream = jetstream;
    this.#stream = stream;
    this.#subjectOf = subjectOf;
  }

  /**
   * One more.
   *
   * @param owner of the delivery alone: one that asks again, because it heard no answer, finds what it has written
   * @param lookBack asked if somebody else has started it before; what it gives is the answer instead, but for null
   */
  async next<T>(sequence: number, owner: string, lookBack: () => Promise<T | null>): Promise<Attempt | T> {
    // Most events are started once: nothing has to be read for those.
    for (let [count, revision] = [1, 0]; ;) {
      try {
        return { count, sequence, entry: await this.#write(sequence, `${count} ${owner}`, revision) };
      } catch (error) {
        if (!(error instanceof JetStreamError) || error.number !== wrongSequence) throw error;
        const last = await this.#jetstream.lastOf(this.#stream, this.#subjectOf(sequence));
        if (last === null) {
          [count, revision] = [1, 0];
          continue;
        }
        const [before, by] = last.data.toString().split(' ');
        if (by === owner) return { count: Number(before), sequence, entry: last.sequence };
        const found = await lookBack();
        if (found !== null) return found;
        [count, revision] = [Number(before) + 1, last.sequence];
      }
    }
  }

  /** The event wasn't started after all. */
  async undo({ count, sequence, entry }: Attempt): Promise<void> {
    try {
      if (count === 1) await this.#jetstream.deleteMessage(this.#stream, entry);
      else await this.#write(sequence, `${count - 1}`, entry);
    } catch (error) {
      // Somebody else has started it since, or it is undone already.
      if (!(error instanceof JetStreamError)) throw error;
    }
  }

  /** The event is done, and comes no more. Nobody waits for it: what is left of it goes with its age. */
  forget({ entry }: Attempt): void {
    const { cuts } = this.#jetstream.broker;
    if (this.#cuts !== cuts) this.#drop();
    this.#cuts = cuts;
    this.#over.push(entry);
    this.#telling ??= startTimer(forgetAfter, () => this.#tell(), false);
  }

  /** Whether events are done of which that isn't said yet. */
  get hasDone(): boolean {
    return this.#old.length + this.#over.length > 0;
  }

  /** Says of all that they are done: nobody may be there to say so later. */
  flush(): void {
    this.#telling?.cancel();
    this.#tell();
    this.#tell();
  }

  #drop(): void {
    this.#old = [];
    this.#over = [];
  }

  #tell(): void {
    const { broker } = this.#jetstream;
    // The server that knows them to be done may be gone.
    if (this.#cuts !== broker.cuts) this.#drop();
    for (const entry of this.#old) {
      this.#jetstream.tell(`STREAM.MSG.DELETE.${this.#stream}`, { seq: entry, no_erase: true });
    }
    this.#old = this.#over;
    this.#over = [];
    this.#telling = this.#old.length === 0 ? null : startTimer(forgetAfter, () => this.#tell(), false);
  }

  async #write(sequence: number, text: string, revision: number): Promise<number> {
    const headers = { 'Nats-Expected-Last-Subject-Sequence': `${revision}` };
    return (await this.#jetstream.publish(this.#subjectOf(sequence), Buffer.from(text), headers)).sequence;
  }
}
