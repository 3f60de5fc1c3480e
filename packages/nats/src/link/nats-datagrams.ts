import type { Subscription } from '@threadbus/core';
import type { Broker } from '../broker/broker.ts';
import type { Datagrams } from '../session/datagrams.ts';

/** Subjects of one session, as one end uses them. */
export interface SessionSubjects {
  readonly send: string;
  readonly receive: string;
}

/** Bytes: what is lost is sent again packet by packet. */
const largestPacket = 512 * 1024;

/** A session's packets as messages of NATS: one subject each way. Listens from the start, and keeps what comes for `open`. */
export class NatsDatagrams implements Datagrams {
  readonly #broker: Broker;
  readonly #subject: string;
  readonly #subscription: Subscription;
  readonly #watching: Subscription;
  #agreed = largestPacket;
  #early: Uint8Array[] | null = [];
  #receive: (packet: Uint8Array) => void = (packet) => this.#early?.push(packet);
  #restored: () => void = () => undefined;

  constructor(broker: Broker, { send, receive }: SessionSubjects) {
    this.#broker = broker;
    this.#subject = send;
    this.#subscription = broker.subscribe(receive, ({ data }) => this.#receive(data));
    this.#watching = broker.watch({ restored: () => this.#restored() });
  }

  /** A server that was started again may take less than before. */
  get maxSize(): number {
    return Math.min(this.#agreed, this.#broker.maxPayload);
  }

  /** What the other end can send and get; to be said before anything is sent. */
  agree(maxSize: number): void {
    this.#agreed = Math.min(this.#agreed, maxSize);
  }

  get isUp(): boolean {
    return this.#broker.isUp;
  }

  open(receive: (packet: Uint8Array) => void, restored: () => void): void {
    const early = this.#early ?? [];
    this.#early = null;
    this.#receive = receive;
    this.#restored = restored;
    for (const packet of early) receive(packet);
  }

  send(packet: Uint8Array): void {
    this.#broker.publishAlone(this.#subject, packet);
  }

  close(): void {
    this.#early = null;
    this.#receive = () => undefined;
    this.#watching();
    this.#subscription();
  }
}
