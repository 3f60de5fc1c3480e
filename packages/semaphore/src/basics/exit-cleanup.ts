import { rmdirSync, unlinkSync } from 'node:fs';

/**
 * Files of this thread that must not outlive it, in the order in which they were made. A killed thread leaves them;
 * whoever finds them later removes them.
 */
const files = new Map<string, string | undefined>();
const others = new Set<() => void>();
let installed = false;

/** Not at import: a program that never takes a slot gets no listener of ours. None of a signal, ever. */
function install(): void {
  if (!installed) process.on('exit', removeAll);
  installed = true;
}

/**
 * Removes a file when this thread ends by itself.
 *
 * @param folder removed as well, if it is empty then
 */
export function removeAtExit(file: string, folder?: string): void {
  install();
  files.set(file, folder);
}

export function keepAtExit(file: string): void {
  files.delete(file);
}

/** Calls back when this thread ends by itself. */
export function atExit(callback: () => void): void {
  install();
  others.add(callback);
}

function removeAll(): void {
  for (const callback of others) callback();
  // The last ones first: what was made in a folder goes before it.
  const all = [...files];
  all.reverse();
  for (const [file, folder] of all) {
    try {
      unlinkSync(file);
      if (folder !== undefined) rmdirSync(folder);
    } catch {
      // Gone already, or others are still in there.
    }
  }
}
