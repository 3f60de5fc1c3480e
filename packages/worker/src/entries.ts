// Here, and not beside what uses them: packed, this folder's modules are few files, and these URLs must still be right.
import { existsSync } from 'node:fs';
import { WorkerStartError } from './errors.ts';

/** What a thread with a bus starts with. @throws WorkerStartError if it is missing */
export function threadEntry(): URL {
  return present('thread/worker-entry.js', () => new URL('./thread/worker-entry.js', import.meta.url));
}

/** What piscina loads in a pool's thread. @throws WorkerStartError if it is missing */
export function poolEntry(): URL {
  return present('pool-task.cjs', () => new URL('../pool-task.cjs', import.meta.url));
}

/** What a process with a bus starts with. @throws WorkerStartError if it is missing */
export function processEntry(): URL {
  return present('process/process-entry.js', () => new URL('./process/process-entry.js', import.meta.url));
}

/** What watches over such a process in a thread of its own. */
export function lifelineEntry(): URL {
  return present('process/lifeline.js', () => new URL('./process/lifeline.js', import.meta.url));
}

/** Threads start with files of ours: a bundler that takes this code along leaves them behind. */
function present(name: string, locate: () => URL): URL {
  let url: URL | null = null;
  try {
    // A bundle in the CommonJS format has no import.meta.url.
    url = locate();
    if (existsSync(url)) return url;
  } catch {
    // Told below.
  }
  throw new WorkerStartError(
    `@threadbus/worker can't find its file ${name}${url === null ? '' : ` at ${url.href}`}: a bundler has taken the package along, but not that file. Leave the packages out of the bundle, and installed beside it: with esbuild --packages=external (or --external:@threadbus/*), with vite ssr: { external: ['@threadbus/core', '@threadbus/worker'] }, with rollup external: [/^@threadbus/].`,
  );
}

/** URLs under which our own code lies: what it does in a thread is of no use to those who look for theirs. */
export function ownRoots(): readonly string[] {
  return ['./index.js', '@threadbus/core', '@threadbus/link', 'comlink', 'piscina'].flatMap((name) => {
    try {
      return [new URL('./', import.meta.resolve(name)).href];
    } catch {
      // In a bundle there is no such package.
      return [];
    }
  });
}
