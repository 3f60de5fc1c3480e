// Here, and not beside what uses them: packed, this folder's modules are few files, and these URLs must still be right.

/** What a thread with a bus starts with. */
export const threadEntry: URL = new URL('./thread/worker-entry.js', import.meta.url);

/** What piscina loads in a pool's thread. */
export const poolEntry: URL = new URL('../pool-task.cjs', import.meta.url);

/** What a process with a bus starts with. */
export const processEntry: URL = new URL('./process/process-entry.js', import.meta.url);

/** What watches over such a process in a thread of its own. */
export const lifelineEntry: URL = new URL('./process/lifeline.js', import.meta.url);

/** URLs under which our own code lies: what it does in a thread is of no use to those who look for theirs. */
export function ownRoots(): readonly string[] {
  const roots = [new URL('./', import.meta.url).href];
  for (const name of ['@threadbus/core', '@threadbus/link', 'comlink', 'piscina']) {
    try {
      roots.push(new URL('./', import.meta.resolve(name)).href);
    } catch {
      // In a bundle there is no such package.
    }
  }
  return roots;
}
