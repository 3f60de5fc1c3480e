import { randomUUID } from 'node:crypto';
import type { Subscription } from '@threadbus/core';
import { NameTakenError } from '../basics/errors.ts';
import type { Broker } from '../broker/broker.ts';
import type { Subjects } from '../broker/subjects.ts';
import { encodeMessage, readQuestion, readWhoAnswer, type ServerMark, type WhoQuestion } from './handshake.ts';

/** Seconds: one that has the name and doesn't answer for so long has lost it. */
const patience = 2;
/** Seconds for others that claim the name at the same moment to be heard. */
const together = 0.1;

/**
 * A server's claim to a name.
 *
 *   asking ──nobody has it──▶ claiming ──nobody else wants it──▶ settled ──another has settled later──▶ lost
 *
 * Asking comes before listening, so that an unused name is known at once ("no responders"). Of two that claim at the
 * same moment at least one is asked while it listens: both hear of each other, and the later id yields. A server that
 * was stopped, or cut off, for so long that another could settle hears of it when it goes on, and gives the name up.
 * With `replicas` all have it, as long as all of them say so.
 */
export class NameClaim {
  readonly #broker: Broker;
  readonly #subject: string;
  readonly #name: string;
  readonly #onLost: () => void;
  readonly #ends: Subscription[] = [];
  readonly #own: Omit<ServerMark, 'age'>;
  /** Monotonic milliseconds at which it got the name. */
  #since = Infinity;
  #state: 'asking' | 'claiming' | 'settled' | 'lost' = 'asking';

  /** @param onLost told when a settled name goes to another server */
  constructor(broker: Broker, subjects: Subjects, name: string, bus: string, replicas: boolean, onLost: () => void) {
    this.#broker = broker;
    this.#subject = subjects.who(name);
    this.#name = name;
    this.#onLost = onLost;
    this.#own = { id: randomUUID(), bus, replicas };
  }

  /** @throws NameTakenError */
  async settle(): Promise<void> {
    try {
      await this.#ask(patience, true);
      this.#state = 'claiming';
      this.#ends.push(
        this.#broker.subscribe(this.#subject, ({ data, reply }) => {
          const question = readQuestion(data);
          if (question !== null) this.#hear(question, reply);
        }),
      );
      await this.#broker.flush();
      await this.#ask(together, false);
    } catch (error) {
      this.release();
      throw error;
    }
    this.#state = 'settled';
    this.#since = performance.now();
    this.#announce();
    this.#ends.push(this.#broker.watch({ restored: () => this.#announce() }));
  }

  get #mark(): ServerMark {
    return { ...this.#own, age: Math.max(0, performance.now() - this.#since) };
  }

  release(): void {
    this.#state = 'lost';
    for (const end of this.#ends) end();
  }

  /** @param first whether one answer settles it: then nobody else is listening yet */
  async #ask(seconds: number, first: boolean): Promise<void> {
    let refusal: ServerMark | null = null;
    await this.#broker.askAll(this.#subject, encodeMessage({ claim: this.#mark }), seconds, (data) => {
      const answer = readWhoAnswer(data);
      if (answer === null || answer.server.id === this.#own.id) return undefined;
      if (answer.refused) refusal = answer.server;
      return answer.refused || first ? 'enough' : undefined;
    });
    // It may have yielded meanwhile.
    if (refusal !== null || this.#state === 'lost') throw this.#taken(refusal);
  }

  #hear(question: WhoQuestion, reply: string | undefined): void {
    if (question === 'list') {
      if (this.#state === 'settled') this.#answer(reply, false);
    } else if ('claim' in question) {
      if (question.claim.id !== this.#own.id) this.#answer(reply, this.#refuses(question.claim));
    } else if (question.settled.id !== this.#own.id) this.#meet(question.settled);
  }

  #refuses(other: ServerMark): boolean {
    if (this.#own.replicas && other.replicas) return false;
    if (this.#state === 'settled' || this.#own.id < other.id) return true;
    this.release();
    return false;
  }

  /** Another server has the name: the one that got it later keeps it, since then this one didn't answer. */
  #meet(other: ServerMark): void {
    if (this.#state !== 'settled' || (this.#own.replicas && other.replicas)) return;
    // On its way the other has grown older: of two both may yield, but never do both keep it.
    const difference = this.#mark.age - other.age;
    if (difference > 0 || (difference === 0 && other.id < this.#own.id)) {
      this.release();
      this.#onLost();
    } else this.#announce();
  }

  #announce(): void {
    if (this.#state === 'settled') this.#broker.publish(this.#subject, encodeMessage({ settled: this.#mark }));
  }

  #answer(reply: string | undefined, refused: boolean): void {
    if (reply !== undefined) this.#broker.publish(reply, encodeMessage({ server: this.#mark, refused }));
  }

  #taken(by: ServerMark | null): NameTakenError {
    const { replicas } = this.#own;
    const differ = by !== null && by.replicas !== replicas;
    return new NameTakenError(
      differ
        ? `${this.#name} is served with { replicas: ${by.replicas} } already: all servers of a name must say the same.`
        : `${this.#name} is served already. Give this bus another name, or let all its servers say { replicas: true }.`,
      { busName: this.#name },
    );
  }
}

/** The ids of all servers of a name that answer within half a second. */
export async function findReplicas(broker: Broker, subjects: Subjects, name: string): Promise<string[]> {
  const found = new Set<string>();
  await broker.askAll(subjects.who(name), encodeMessage('list'), 0.5, (data) => {
    const answer = readWhoAnswer(data);
    if (answer !== null) found.add(answer.server.bus);
  });
  return [...found].sort();
}
