import type { Moment } from '../basics/clock.ts';
import type { WalWriteError } from '../basics/errors.ts';
import type { Lifecycle } from '../event/lifecycle.ts';
import type { Delivery } from '../run/delivery.ts';

/** A line on its way into the log, and what waits for it. */
export interface LogEntry {
  readonly text: string;
  /** Something can't go on before the line is written: the process must not end meanwhile. */
  readonly holds: boolean;
  /** The line is where it was promised to be. */
  written(): void;
  /** An attempt to write it has failed; there will be others. */
  failed(error: WalWriteError): void;
  /** The bus has ended, and waits no longer. */
  giveUp(): void;
}

/** What an entry needs of the bus. */
export interface LogHost {
  /** An event's arrival is logged: its handlers may start, in their turn. */
  admit(delivery: Delivery): void;
  /** The end of an event takes a place among the pending ones until it is written. */
  readonly capacity: { enter(): void; leave(): void };
  /** Lines could not be written. */
  refused(error: WalWriteError): void;
}

interface ArrivalWait {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The arrival of an event: nothing of it runs before it is written. */
export class Arrival implements LogEntry {
  readonly text: string;
  readonly #host: LogHost;
  #delivery: Delivery | null = null;
  #written = false;
  #failure: Error | null = null;
  #waits: ArrivalWait[] = [];

  constructor(text: string, host: LogHost) {
    this.text = text;
    this.#host = host;
  }

  get holds(): boolean {
    return this.#delivery?.state === 'arriving';
  }

  /** The event on the bus, which waits in front of the queue. */
  of(delivery: Delivery): this {
    this.#delivery = delivery;
    return this;
  }

  /** Resolves when the line is written; rejects if the first attempt fails, or the last one has. */
  logged(): Promise<void> {
    if (this.#written) return Promise.resolve();
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waits.push({ resolve, reject });
    });
  }

  written(): void {
    this.#written = true;
    const waits = this.#takeWaits();
    if (this.#delivery?.state === 'arriving') this.#host.admit(this.#delivery);
    this.#delivery = null;
    for (const { resolve } of waits) resolve();
  }

  failed(error: WalWriteError): void {
    this.#failure = error;
    for (const { reject } of this.#takeWaits()) reject(error);
  }

  giveUp(): void {
    // The bus has cancelled the event itself.
  }

  #takeWaits(): ArrivalWait[] {
    const waits = this.#waits;
    this.#waits = [];
    return waits;
  }
}

/**
 * The end of an event: it isn't completed, to anybody, before it is written.
 *
 * If that fails, a log that promises the disk holds on to the event: who waits for it gets the error. One that doesn't
 * lets it complete, and writes the line later. Either way it takes a place of the bus until it is written.
 */
export class End implements LogEntry {
  readonly text: string;
  readonly #lifecycle: Lifecycle;
  readonly #at: Moment;
  readonly #host: LogHost;
  readonly #strict: boolean;
  #told = false;

  constructor(text: string, lifecycle: Lifecycle, at: Moment, host: LogHost, strict: boolean) {
    this.text = text;
    this.#lifecycle = lifecycle;
    this.#at = at;
    this.#host = host;
    this.#strict = strict;
    host.capacity.enter();
  }

  get holds(): boolean {
    return !this.#told;
  }

  written(): void {
    this.#host.capacity.leave();
    this.giveUp();
  }

  failed(error: WalWriteError): void {
    if (this.#strict) this.#lifecycle.refuseWaits(error);
    else this.giveUp();
  }

  giveUp(): void {
    if (this.#told) return;
    this.#told = true;
    this.#lifecycle.recorded(this.#at);
  }
}
