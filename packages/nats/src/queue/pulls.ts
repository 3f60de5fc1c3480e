import type { Subscription } from '@threadbus/core';
import type { Broker } from '../broker/broker.ts';
import { Delivered } from '../jetstream/delivered.ts';

/**
 * Bytes that a request brings at most, though at least a message of the largest size: a server cuts off whoever has not
 * read 64 MiB that it has for it, and a crew has several requests under way.
 */
const mostBytes = 8 << 20;
/** Beside its data, what a message counts. */
const messageRoom = 1024;

/** How a request for the next message ended without one. */
export type PullEnd = 'none' | 'gone';

/** Told what comes of requests. */
export interface PullHost {
  /** A message bears its own subject: it isn't known which request to its consumer it answers. */
  delivered(message: Delivered): void;
  /** The request with that token gets no more. */
  ended(token: string, end: PullEnd): void;
}

/** Requests to consumers for their next messages: each is answered by as many, or ends with the reason why there are less. */
export class Pulls {
  readonly #broker: Broker;
  readonly #host: PullHost;
  readonly #inbox: string;
  readonly #subscription: Subscription;
  #next = 0;

  constructor(broker: Broker, host: PullHost) {
    this.#broker = broker;
    this.#host = host;
    this.#inbox = broker.newInbox();
    this.#subscription = broker.subscribe(`${this.#inbox}.*`, (message) => {
      const delivered = Delivered.read(broker, message);
      if (delivered !== null) this.#host.delivered(delivered);
      else
        this.#status(
          message.subject.slice(this.#inbox.length + 1),
          message.headers?.code ?? 0,
          message.headers?.description ?? '',
        );
    });
  }

  /**
   * @param count messages at most
   * @param seconds after which the consumer says that it had none; 0: at once
   * @returns the request's token
   */
  pull(stream: string, consumer: string, count: number, seconds: number): string {
    this.#next += 1;
    const token = `${this.#next}`;
    const wait = seconds === 0 ? { no_wait: true } : { expires: Math.round(seconds * 1e9) };
    const most = Math.max(mostBytes, this.#broker.maxPayload + messageRoom);
    const request = Buffer.from(JSON.stringify({ batch: count, max_bytes: most, ...wait }));
    this.#broker.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, request, `${this.#inbox}.${token}`);
    return token;
  }

  close(): void {
    this.#subscription();
  }

  #status(token: string, code: number, description: string): void {
    if (code === 100) return;
    const isGone = code === 409 && /deleted/i.test(description);
    this.#host.ended(token, isGone || code === 503 ? 'gone' : 'none');
  }
}
