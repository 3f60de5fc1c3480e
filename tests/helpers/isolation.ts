import type { WorkerBus } from '@threadbus/worker';

export type Isolation = 'thread' | 'process';

let current: Isolation = 'thread';

/** Where the buses of this file's tests live. Tests of threads run again in processes: see tests/worker/process. */
export function isolation(): Isolation {
  return current;
}

/** To be called before the file with the tests is imported. */
export function isolate(where: Isolation): void {
  current = where;
}

/** A text about a thread, as it is about where the buses of these tests live. */
export function hosted(text: string): string {
  return text.replaceAll('thread', current);
}

/** What tells a thread or process from the one before it. */
export function hostId(bus: WorkerBus): number {
  return current === 'thread' ? bus.threadId : bus.pid;
}
