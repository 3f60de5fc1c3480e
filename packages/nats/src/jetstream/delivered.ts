import { pause } from '../basics/waits.ts';
import type { Broker } from '../broker/broker.ts';
import type { BrokerMessage } from '../broker/connection.ts';

/** Seconds for the store to say that it has an acknowledgement. */
const answerTime = 2;
/** Seconds until it is told again. */
const shortPause = 0.05;

const ack = Buffer.from('+ACK');
const progress = Buffer.from('+WPI');

/** A message of a consumer, to be acknowledged or given back. */
export class Delivered {
  readonly data: Uint8Array;
  /** By which it came. */
  readonly consumer: string;
  readonly headers: BrokerMessage['headers'];
  /** From 1. */
  readonly count: number;
  /** In the stream. */
  readonly sequence: number;
  /** Epoch milliseconds at which it was stored, by the server's clock. */
  readonly storedAt: number;
  readonly #broker: Broker;
  readonly #reply: string;

  private constructor(broker: Broker, { data, headers }: BrokerMessage, reply: string, tokens: readonly string[]) {
    this.#broker = broker;
    this.#reply = reply;
    this.data = data;
    this.headers = headers;
    const [consumer = '', delivered, sequence, , time] = tokens;
    this.consumer = consumer;
    this.count = Number(delivered);
    this.sequence = Number(sequence);
    this.storedAt = Number(time) / 1e6;
  }

  /** @returns null for what is no message but a status of the consumer */
  static read(broker: Broker, message: BrokerMessage): Delivered | null {
    const { reply } = message;
    if (reply === undefined || !reply.startsWith('$JS.ACK.')) return null;
    // Stream, consumer, and then; newer servers put domain and account in front of them.
    const tokens = reply.split('.').slice(2);
    return new Delivered(broker, message, reply, tokens.slice(tokens.length <= 7 ? 1 : 3));
  }

  /** It is still worked on: the time until it goes to others begins anew. */
  working(): void {
    this.#broker.publish(this.#reply, progress);
  }

  /** To be delivered again, so many seconds from now. */
  giveBack(seconds: number): void {
    const delay = Math.round(seconds * 1e9);
    this.#broker.publish(this.#reply, Buffer.from(delay === 0 ? '-NAK' : `-NAK {"delay": ${delay}}`));
  }

  /** It is done with; nobody says whether the store has heard it. @param isAwaited the next one comes only then */
  acknowledge(isAwaited: boolean): void {
    if (isAwaited) this.#broker.publish(this.#reply, ack);
    else this.#broker.publishLater(this.#reply, ack);
  }

  /**
   * It is done with.
   *
   * @param seconds to try: after that it has gone to others anyway
   * @returns whether the store has heard of it
   */
  async done(seconds: number): Promise<boolean> {
    const until = performance.now() + seconds * 1000;
    for (;;) {
      const left = (until - performance.now()) / 1000;
      if (left <= 0 || !(await this.#broker.whenUp(left)) || this.#broker.isClosed) return false;
      try {
        await this.#broker.request(this.#reply, ack, Math.min(left, answerTime));
        return true;
      } catch {
        // Not heard: asked again, until it is too late.
        await pause(shortPause);
      }
    }
  }
}
