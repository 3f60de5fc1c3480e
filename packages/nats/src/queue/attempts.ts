import { startTimer, type Timer } from '@threadbus/core/internal';
import { JetStreamError, wrongSequence } from '../jetstream/jetstream-error.ts';
import type { JetStream } from '../jetstream/jetstream.ts';

/** Seconds after which it is said that an event is done, when no other begins meanwhile. */
const forgetWithin = 0.5;

/** A start of an event, as it is written down. */
export interface Attempt {
  /** From 1. */
  readonly count: number;
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
  /** Entries of events that are done. */
  #over: number[] = [];
  #telling: Timer | null = null;

  constructor(jetstream: JetStream, stream: string, subjectOf: (sequence: number) => string) {
    this.#jetstream = jetstream;
    this.#stream = stream;
    this.#subjectOf = subjectOf;
  }

  /** One more; what is to be forgotten is said in the same breath. */
  async next(sequence: number): Promise<Attempt> {
    const subject = this.#subjectOf(sequence);
    // Most events are started once: nothing has to be read for those.
    for (let [count, revision] = [1, 0]; ;) {
      try {
        const written = this.#jetstream.publish(subject, Buffer.from(`${count}`), {
          'Nats-Expected-Last-Subject-Sequence': `${revision}`,
        });
        this.#tell();
        return { count, entry: (await written).sequence };
      } catch (error) {
        if (!(error instanceof JetStreamError) || error.number !== wrongSequence) throw error;
        const last = await this.#jetstream.lastOf(this.#stream, subject);
        [count, revision] = last === null ? [1, 0] : [Number(last.data.toString()) + 1, last.sequence];
      }
    }
  }

  /** The event is done, and comes no more. Nobody waits for it: what is left of it goes with its age. */
  forget({ entry }: Attempt): void {
    this.#over.push(entry);
    this.#telling ??= startTimer(forgetWithin, () => this.#tell(), false);
  }

  #tell(): void {
    this.#telling?.cancel();
    this.#telling = null;
    const all = this.#over;
    this.#over = [];
    for (const entry of all) {
      this.#jetstream.tell(`STREAM.MSG.DELETE.${this.#stream}`, { seq: entry, no_erase: true });
    }
  }
}
