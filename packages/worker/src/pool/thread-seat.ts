import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { outsideContexts } from '@threadbus/link/internal';
import { flushOutput } from '../thread/host-output.ts';
import { type Carrier, type CarrierEnd, type CarrierOptions, startCarrier } from './carrier.ts';
import type { ToPool } from './pool-port.ts';

/** More are not read at once: a thread that blocks may be writing them still. */
const lastMessages = 4096;

/** What a seat tells of its thread. */
export interface SeatOwner {
  read(message: ToPool): void;
  unreadable(cause: unknown): void;
  died(end: CarrierEnd): void;
}

/**
 * A thread and the port to it.
 *
 * What the thread has printed comes before what it says next. The process stays up for it only while it is held.
 */
export class ThreadSeat {
  readonly port: MessagePort;
  readonly #owner: SeatOwner;
  readonly #carrier: Carrier;
  #held = false;

  /** @throws what keeps the thread from starting */
  constructor(owner: SeatOwner, desk: SharedArrayBuffer, options: CarrierOptions) {
    this.#owner = owner;
    const { port1, port2 } = outsideContexts(() => new MessageChannel());
    this.port = port1;
    try {
      this.#carrier = startCarrier({ port: port2, desk }, options, (end) => owner.died(end));
    } catch (error) {
      port1.close();
      throw error;
    }
    outsideContexts(() => {
      port1.on('message', (message: ToPool) => this.#read(message));
      port1.on('messageerror', (cause) => owner.unreadable(cause));
    });
    port1.unref();
  }

  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.port.ref();
  }

  letGo(): void {
    if (!this.#held) return;
    this.#held = false;
    this.port.unref();
  }

  /** Reads what has come and has not been read yet, also if the thread is gone. */
  readAll(): void {
    for (let messages = 0; messages < lastMessages; messages += 1) {
      const next = receiveMessageOnPort(this.port);
      if (next === undefined) return;
      this.#read(next.message as ToPool);
    }
  }

  flushOutput(): void {
    const { worker } = this.#carrier;
    if (worker !== null) flushOutput(worker);
  }

  /** Ends the thread; nothing more is read from it. */
  end(): void {
    this.port.close();
    this.#carrier.end();
  }

  #read(message: ToPool): void {
    this.flushOutput();
    this.#owner.read(message);
  }
}
