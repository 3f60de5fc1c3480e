import type { MessagePort } from 'node:worker_threads';
import type { BusIdentity } from '@threadbus/core/internal';
import type { Transport } from '@threadbus/link';
import type { BoardWriter } from './board.ts';

/** What a thread or process is told when it is started as a bus. */
export interface HostInit {
  /** URL of the user's entry file. */
  readonly entry: string;
  /** The id that was reserved for the bus. */
  readonly id: string;
  /** The name that the bus is to take; null = keep its own, with `suffix` behind it. */
  readonly name: string | null;
  readonly suffix: string;
  readonly parent: Readonly<BusIdentity> | null;
  /** The user's own workerData. */
  readonly workerData: unknown;
}

/** The same, as a thread gets it. */
export interface ThreadMessage extends HostInit {
  readonly events: MessagePort;
  readonly control: MessagePort;
  readonly board: SharedArrayBuffer;
  /** How many lines of logs the thread has not written. */
  readonly unwritten: SharedArrayBuffer;
}

/** What a thread or process that was started as a bus has. */
export interface ThreadInit extends HostInit {
  readonly events: Transport;
  /** For comlink. */
  readonly control: object;
  readonly board: BoardWriter;
}

const key = Symbol.for('threadbus.thread');

/** Set in threads and processes that were started as a bus; shared by all copies of the package that the thread has loaded. */
export function threadInit(): ThreadInit | undefined {
  return (globalThis as { [key]?: ThreadInit })[key];
}

export function setThreadInit(init: ThreadInit): void {
  (globalThis as { [key]?: ThreadInit })[key] = init;
}
