// Here, and not beside what uses them: packed, this folder's modules are few files, and these URLs must still be right.

/** What a thread with a bus starts with. */
export const threadEntry: URL = new URL('./thread/worker-entry.js', import.meta.url);

/** What piscina loads in a pool's thread. */
export const poolEntry: URL = new URL('../pool-task.cjs', import.meta.url);
