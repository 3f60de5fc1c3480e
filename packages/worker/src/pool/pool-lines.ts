import type { MessagePort } from 'node:worker_threads';
import type { EventBus } from '@threadbus/core';
import { busEngine, newId } from '@threadbus/core/internal';
import { LinkError } from '@threadbus/link';
import { defaultFlow, type Link, outsideContexts, RemoteBus } from '@threadbus/link/internal';
import { lineSender, readLine, type ToThread } from './pool-port.ts';

/** Buses of which a thread keeps a link at the same time. */
const maxLines = 64;

/** What is heard over any of the lines. */
export interface LineEvents {
  /** The handler that the thread works for awaits an event, or goes on. */
  suspended(awaiting: boolean): void;
  /** The thread says what nobody can understand. */
  lost(error: Error): void;
}

interface Line {
  readonly number: number;
  readonly remote: RemoteBus;
}

/** The links over a thread's port: one for each bus that has called a handler there lately. */
export class PoolLines {
  readonly #port: MessagePort;
  readonly #events: LineEvents;
  /** The one that was used last at the end. */
  readonly #lines = new Map<EventBus, Line>();
  readonly #links = new Map<number, Link>();
  #last: { readonly bus: EventBus; readonly remote: RemoteBus } | null = null;
  #opened = 0;
  /** Told of the answer, by the ping's token. */
  readonly #pings = new Map<number, () => void>();
  #pinged = 0;

  constructor(port: MessagePort, events: LineEvents) {
    this.#port = port;
    this.#events = events;
  }

  read(frame: unknown[]): void {
    readLine(this.#links, frame);
  }

  /** The thread, as what it is to that bus. */
  of(bus: EventBus): RemoteBus {
    if (this.#last?.bus === bus) return this.#last.remote;
    const known = this.#lines.get(bus);
    if (known !== undefined) this.#lines.delete(bus);
    const line = known ?? this.#open(bus);
    this.#lines.set(bus, line);
    this.#last = { bus, remote: line.remote };
    return line.remote;
  }

  /** Asks the thread to answer from its event loop. */
  ping(bus: EventBus, answered: () => void): void {
    this.#pinged += 1;
    this.#pings.set(this.#pinged, answered);
    this.of(bus).link?.sendPing(this.#pinged);
  }

  /** The thread is gone: all that is under way there ends with the error. */
  fail(error: Error): void {
    for (const { remote } of this.#lines.values()) remote.fail(error);
    this.#lines.clear();
    this.#links.clear();
    this.#pings.clear();
    this.#last = null;
  }

  #answered(token: number): void {
    const tell = this.#pings.get(token);
    this.#pings.delete(token);
    tell?.();
  }

  #open(bus: EventBus): Line {
    this.#closeOld();
    this.#opened += 1;
    const number = this.#opened;
    const { id, name } = busEngine(bus).identity;
    const remote = new RemoteBus({ id: newId(), name: 'a pool thread' }, bus, defaultFlow, {
      busy: () => undefined,
      suspended: (awaiting) => this.#events.suspended(awaiting),
      pong: (token) => this.#answered(token),
    });
    outsideContexts(() => {
      const link = remote.createLink(lineSender(this.#port, number), bus, (error) => this.#events.lost(error));
      this.#links.set(number, link);
      this.#tell({ open: number, bus: { id, name } });
      link.open({ id, name });
      remote.connect();
    });
    return { number, remote };
  }

  /** Of buses that were stopped, and of the one that was used longest ago if there are many. */
  #closeOld(): void {
    for (const [bus, { number, remote }] of this.#lines) {
      const { stopped } = busEngine(bus);
      if (remote.outgoing.size > 0 || (!stopped && this.#lines.size < maxLines)) continue;
      this.#lines.delete(bus);
      this.#links.delete(number);
      remote.fail(new LinkError(`The pool thread has let go of ${bus.name}, whose handlers it had run long ago.`));
      this.#tell({ close: number });
    }
  }

  #tell(message: ToThread): void {
    this.#port.postMessage(message);
  }
}
