import { pid } from 'node:process';
import { MessageChannel, type MessagePort, receiveMessageOnPort, threadId as ownThread } from 'node:worker_threads';
import type { ThreadPlace } from '@threadbus/core/internal';
import { outsideContexts } from '@threadbus/link/internal';
import { flushOutput } from '../thread/host-output.ts';
import { type Carrier, type CarrierEnd, type CarrierOptions, startCarrier } from './carrier.ts';
import { type ThreadEnd, threadEnded, threadStarted } from '../thread/thread-observers.ts';
import type { ToPool } from './pool-port.ts';

/** More are not read at once: a thread that blocks may be writing them still. */
const lastMessages = 4096;

/** Then others have their turn. */
const messagesAtOnce = 32;

const poolThread = { owner: 'HandlerPool', name: 'HandlerPool' } as const;

/** What a seat tells of its thread. */
export interface SeatOwner {
  /** Further messages are likely to be there already. */
  readonly expectsMore: boolean;
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
  /** Tells those who watch threads how this one has ended; null until it is up. */
  #tellEnd: ReturnType<typeof threadStarted> | null = null;
  #ending = false;

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
    this.place = { threadId: this.#carrier.worker?.threadId ?? ownThread, pid };
    outsideContexts(() => {
      port1.on('message', (message: ToPool) => {
        this.#read(message);
        // To take the next one costs less than to be told of it.
        if (owner.expectsMore) this.#readMore(messagesAtOnce);
      });
      port1.on('messageerror', (cause) => owner.unreadable(cause));
    });
    port1.unref();
  }

  /** Where calls run. */
  readonly place: ThreadPlace;

  /** Seconds for which its thread has waited in its event loop, that is, was not blocked. */
  get idleTime(): number {
    return (this.#carrier.worker?.performance.eventLoopUtilization().idle ?? 0) / 1000;
  }

  /** Calls are served in this thread. */
  get isHere(): boolean {
    return this.#carrier.worker === null;
  }

  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.port.ref();
    // The worker too: its port is gone a little before the news of its death arrives.
    this.#carrier.worker?.ref();
  }

  letGo(): void {
    if (!this.#held) return;
    this.#held = false;
    this.port.unref();
    this.#carrier.worker?.unref();
  }

  /** Reads what has come and has not been read yet, also if the thread is gone. */
  readAll(): void {
    this.#readMore(lastMessages);
  }

  #readMore(most: number): void {
    for (let messages = 0; messages < most; messages += 1) {
      const next = receiveMessageOnPort(this.port);
      if (next === undefined) return;
      this.#read(next.message as ToPool);
    }
  }

  /** Something has begun to end the thread, or it has died: what it has printed comes first. */
  ending(reason: ThreadEnd['reason'], lost: number): void {
    this.#flushOutput();
    this.#ending = true;
    if (this.#carrier.worker === null) return;
    const replaced = reason !== 'stopped' && reason !== 'idle';
    if (this.#tellEnd !== null) this.#tellEnd({ reason, lost, again: replaced });
    else threadEnded({ ...poolThread, threadId: -1, pid: -1, reason, lost: 0, again: false });
    this.#tellEnd = null;
  }

  /** Ends the thread; nothing more is read from it. */
  end(): void {
    this.port.close();
    this.#carrier.end();
  }

  #read(message: ToPool): void {
    this.#flushOutput();
    if (!Array.isArray(message) && message.news === 'up') this.#up();
    this.#owner.read(message);
  }

  #up(): void {
    const { worker } = this.#carrier;
    if (worker === null || this.#ending) return;
    const { threadId } = worker;
    this.#tellEnd = threadStarted({ ...poolThread, threadId, pid: process.pid }, (guest) =>
      this.port.postMessage({ guest }),
    );
  }

  #flushOutput(): void {
    const { worker } = this.#carrier;
    if (worker !== null) flushOutput(worker);
  }
}
