import { rmdirSync, unlinkSync } from 'node:fs';

/** Files of this thread that must not outlive it. A killed thread leaves them; whoever finds them later removes them. */
const files = new Map<string, string | undefined>();
let installed = false;

/**
 * Removes a file when this thread ends by itself.
 *
 * @param folder removed as well, if it is empty then
 */
export function removeAtExit(file: string, folder?: string): void {
  // Not at import: a program that never takes a slot gets no listener of ours.
  if (!installed) process.on('exit', removeAll);
  installed = true;
  files.set(file, folder);
}

export function keepAtExit(file: string): void {
  files.delete(file);
}

function removeAll(): void {
  for (const [file, folder] of files) {
    try {
      unlinkSync(file);
      if (folder !== undefined) rmdirSync(folder);
    } catch {
      // Gone already, or others are still in there.
    }
  }
}
