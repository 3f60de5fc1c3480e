// Here, and not beside what uses them: packed, this folder's modules are few files, and these URLs must still be right.

/** What threads and processes load once somebody looks. */
export const agentEntry: string = new URL('./agent/agent-entry.js', import.meta.url).href;
/** The page as it is written, and its scripts as they are compiled. */
export const pageFiles: URL = new URL('../src/page/', import.meta.url);
export const pageScripts: URL = new URL('./page/', import.meta.url);
