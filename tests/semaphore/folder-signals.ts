import { readdirSync, watch } from 'node:fs';
import type { MultiprocessSemaphore } from '@threadbus/semaphore';
import { vi } from 'vitest';

/** Resolves once nothing is in the folder. */
export async function emptied(folder: string): Promise<void> {
  const watcher = watch(folder);
  try {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (readdirSync(folder).length === 0) resolve();
      };
      watcher.on('change', look);
      look();
    });
  } finally {
    watcher.close();
  }
}

/** Resolves once so many wait in line. That is nothing that anybody tells: it is looked for. */
export async function inLine(semaphore: MultiprocessSemaphore, count = 1): Promise<void> {
  await vi.waitFor(
    async () => {
      const { waiters } = await semaphore.inspect();
      if (waiters.length < count) throw new Error(`Expected ${count} to wait, ${waiters.length} do.`);
    },
    { interval: 5, timeout: 15_000 },
  );
}
