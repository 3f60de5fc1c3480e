import type { Scenario } from './scenario.ts';

/** Loaded only when asked for, so that nothing of the others is in the process that measures one of them. */
export const scenarios: Readonly<Record<string, () => Promise<Scenario>>> = {
  abxbus: async () => (await import('./abxbus.ts')).abxbus,
  awaited: async () => (await import('./awaited.ts')).awaited,
  watching: async () => (await import('./watching.ts')).watching,
  nested: async () => (await import('./nested.ts')).nested,
  wal: async () => (await import('./wal.ts')).wal,
  'core-growth': async () => (await import('./core-growth.ts')).growth,
  memory: async () => (await import('./memory.ts')).memory,
  start: async () => (await import('./start.ts')).start,
  bundle: async () => (await import('./bundle.ts')).bundle,
  threads: async () => (await import('./threads.ts')).threads,
  processes: async () => (await import('./processes.ts')).processes,
  messages: async () => (await import('./messages.ts')).messages,
  cpu: async () => (await import('./cpu.ts')).cpu,
  nats: async () => (await import('./nats.ts')).nats,
  queue: async () => (await import('./queue.ts')).queue,
  limits: async () => (await import('./limits.ts')).limits,
  semaphore: async () => (await import('./semaphore.ts')).semaphore,
};
