import { startTimer } from '@threadbus/core/internal';
import { NatsUnavailableError } from '../basics/errors.ts';
import type { BrokerMessage } from './connection.ts';

/** Nobody has subscribed to the subject. */
export class NoRespondersError extends Error {}

/** Nobody has answered in time. */
export class NoAnswerError extends NatsUnavailableError {}

interface Asked {
  readonly subject: string;
  readonly answer: (message: BrokerMessage) => void;
  readonly refuse: (error: Error) => void;
}

/** Questions and their answers, which come to one subscription, each under a token of its own. */
export class Requests {
  readonly #inbox: string;
  readonly #asked = new Map<string, Asked>();
  #next = 0;

  /** @param inbox a subject, below which the answers come */
  constructor(inbox: string) {
    this.#inbox = inbox;
  }

  /** @throws NoRespondersError at once; NoAnswerError when nothing has come in time; what it was refused with */
  ask(
    subject: string,
    seconds: number,
    send: (reply: string, failed: (error: Error) => void) => void,
  ): Promise<BrokerMessage> {
    this.#next += 1;
    const token = `${this.#next}`;
    return new Promise((resolve, reject) => {
      const late = (): void =>
        asked.refuse(new NoAnswerError(`NATS gave no answer within ${Math.round(seconds * 100) / 100} s.`));
      const timer = startTimer(seconds, late, true);
      const over = (): void => {
        timer.cancel();
        this.#asked.delete(token);
      };
      const asked: Asked = {
        subject,
        answer: (message) => {
          over();
          resolve(message);
        },
        refuse: (error) => {
          over();
          reject(error);
        },
      };
      this.#asked.set(token, asked);
      send(`${this.#inbox}.${token}`, asked.refuse);
    });
  }

  /** To be called with what comes below the inbox. */
  heard(message: BrokerMessage): void {
    const asked = this.#asked.get(message.subject.slice(this.#inbox.length + 1));
    if (asked === undefined) return; // too late
    const nobody = message.data.length === 0 && message.headers?.code === 503;
    if (nobody) asked.refuse(new NoRespondersError(asked.subject));
    else asked.answer(message);
  }

  /** Whether answers would come by that subscription. */
  hears(subject: string): boolean {
    return subject === `${this.#inbox}.*`;
  }

  /** There will be no answer: to all, or to those of a subject. */
  refuse(error: Error, subject?: string): void {
    for (const asked of [...this.#asked.values()]) {
      if (subject === undefined || asked.subject === subject) asked.refuse(error);
    }
  }
}
