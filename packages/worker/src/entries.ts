// Here, and not beside what uses them: packed, this folder's modules are few files, and these URLs must still be right.

/** What a thread with a bus starts with. */
export const threadEntry: URL = new URL('./thread/worker-entry.js', import.meta.url);

/** What piscina loads in a pool's thread. */
export const poolEntry: URL = new URL('../pool-task.cjs', import.meta.url);

/** What a process with a bus starts with. */
export const processEntry: URL = new URL('./process/process-entry.js', import.meta.url);

/** What watches over such a process in a thread of its own. */
export const lifelineEntry: URL = new URL('./process/lifeline.js', import.meta.url);
