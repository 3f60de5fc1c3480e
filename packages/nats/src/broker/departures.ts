import { startTimer, type Timer } from '@threadbus/core/internal';
import { outsideContexts } from '@threadbus/link/internal';
import type { BrokerHeaders, NatsConnectionLike } from './connection.ts';

/** What comes with a message. */
export interface Envelope {
  readonly reply?: string;
  readonly headers?: BrokerHeaders;
  /** Told why it can't leave: it is too large, or the connection takes no more. Else nobody is. */
  readonly failed?: (error: Error) => void;
}

type Message = readonly [subject: string, payload: Uint8Array, envelope: Envelope];

/** Milliseconds for which a message waits for others at most, while the turn goes on. */
const longestTurn = 1;
/** Seconds for which a message that nobody waits for does so. */
const longestPatience = 0.003;

/**
 * Messages of one turn of the event loop leave together. The client writes to its socket after each step of a turn, and
 * a turn that reads a hundred answers has as many steps, each of which is a call into the system here, and a message by
 * itself for the server.
 *
 *   idle ──a message, which leaves──▶ open ──the client has written──▶ gathering ──the turn is over, all leave──▶ idle
 *
 * So who is alone waits for nobody. What nobody waits for leaves with the next message, or a little later: by itself it
 * would wake the server while that is at work for those who wait.
 */
export class Departures {
  readonly #connection: NatsConnectionLike;
  readonly #canLeave: () => boolean;
  #waiting: Message[] = [];
  #state: 'idle' | 'open' | 'gathering' = 'idle';
  #since = 0;
  #patient: Message[] = [];
  #patience: Timer | null = null;

  /** @param canLeave false: messages are dropped, the client would keep them */
  constructor(connection: NatsConnectionLike, canLeave: () => boolean) {
    this.#connection = connection;
    this.#canLeave = canLeave;
  }

  send(subject: string, payload: Uint8Array, envelope: Envelope): void {
    if (this.#state !== 'gathering') {
      this.#leavePatient();
      this.#publish([subject, payload, envelope]);
      if (this.#state === 'idle') this.#begin();
      return;
    }
    this.#waiting.push([subject, payload, envelope]);
    if (performance.now() - this.#since > longestTurn) this.leave();
  }

  /** Nobody waits for it. */
  sendLater(subject: string, payload: Uint8Array): void {
    this.#patient.push([subject, payload, {}]);
    this.#patience ??= startTimer(longestPatience, () => this.leave(), false);
  }

  /** All that wait leave now. */
  leave(): void {
    this.#leavePatient();
    const all = this.#waiting;
    this.#waiting = [];
    for (const message of all) this.#publish(message);
    this.#since = performance.now();
  }

  #leavePatient(): void {
    if (this.#patience === null) return;
    this.#patience.cancel();
    this.#patience = null;
    const all = this.#patient;
    this.#patient = [];
    for (const message of all) this.#publish(message);
  }

  #begin(): void {
    this.#state = 'open';
    outsideContexts(() => {
      // Behind the client's own, which writes.
      queueMicrotask(() => {
        this.#state = 'gathering';
        this.#since = performance.now();
      });
      setImmediate(() => {
        this.#state = 'idle';
        // What nobody waits for doesn't leave for the turn's end alone.
        if (this.#waiting.length > 0) this.leave();
      });
    });
  }

  #publish([subject, payload, { failed, ...envelope }]: Message): void {
    if (!this.#canLeave()) return;
    try {
      this.#connection.publish(subject, payload, envelope);
    } catch (error) {
      failed?.(error as Error);
    }
  }
}
