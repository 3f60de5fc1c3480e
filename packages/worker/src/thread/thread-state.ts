import type { MessagePort } from 'node:worker_threads';
import type { BusIdentity } from '@threadbus/core/internal';

/** What a thread is told when it is started as a bus. */
export interface ThreadInit {
  /** URL of the user's entry file. */
  readonly entry: string;
  readonly events: MessagePort;
  readonly control: MessagePort;
  /** The id that was reserved for the bus. */
  readonly id: string;
  /** The name that the bus is to take; null = keep its own, with `suffix` behind it. */
  readonly name: string | null;
  readonly suffix: string;
  readonly parent: Readonly<BusIdentity> | null;
  readonly board: SharedArrayBuffer;
  /** The user's own workerData. */
  readonly workerData: unknown;
}

const key = Symbol.for('threadbus.thread');

/** Set in threads that were started as a bus; shared by all copies of the package that the thread has loaded. */
export function threadInit(): ThreadInit | undefined {
  return (globalThis as { [key]?: ThreadInit })[key];
}

export function setThreadInit(init: ThreadInit): void {
  (globalThis as { [key]?: ThreadInit })[key] = init;
}
