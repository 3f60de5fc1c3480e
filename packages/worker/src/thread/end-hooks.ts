import type { Subscription } from '@threadbus/core';
import { defaultLogger, stackText, startTimer, subscription } from '@threadbus/core/internal';

/** Seconds for all hooks together. */
const grace = 1;

const hooks = new Set<{ readonly run: () => unknown }>();

/**
 * Calls a function in this thread, or process, before it ends because its bus or pool is stopped, or for want of work.
 *
 * All hooks run side by side, and together they have a second, which is part of what stopping takes. They don't run
 * before a thread that is ended for blocking, or has crashed; on the main thread they never do.
 *
 * @returns takes the hook away again
 * @throws TypeError for what is no function
 * @example
 * ```ts
 * // in the file that a thread starts with, or one that is loaded with --import
 * onThreadEnd(async () => provider.forceFlush());
 * ```
 */
export function onThreadEnd(hook: () => unknown): Subscription {
  if (typeof hook !== 'function') {
    throw new TypeError(
      `Expected onThreadEnd to get a function, such as async () => exporter.flush(); got ${typeof hook}.`,
    );
  }
  const entry = { run: hook };
  hooks.add(entry);
  return subscription(() => hooks.delete(entry));
}

/** Runs them all; resolves when they are done, or their time is up. */
export async function runEndHooks(): Promise<void> {
  if (hooks.size === 0) return;
  const all = Promise.all([...hooks].map(runHook));
  await new Promise<void>((resolve) => {
    const timer = startTimer(grace, resolve, true);
    void all.then(() => {
      timer.cancel();
      resolve();
    });
  });
}

async function runHook({ run }: { readonly run: () => unknown }): Promise<void> {
  try {
    await run();
  } catch (error) {
    const text = stackText(error);
    defaultLogger().error(`A hook of onThreadEnd failed: ${text}`);
  }
}
