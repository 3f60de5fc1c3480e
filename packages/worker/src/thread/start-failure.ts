import { fileURLToPath } from 'node:url';
import { errorText } from '@threadbus/core/internal';
import { WorkerStartError } from '../errors.ts';

/** A thread that has not become a bus; `what` happened. */
export function startError(entry: URL, what: string, cause?: unknown): WorkerStartError {
  return new WorkerStartError(
    `${entry.href} could not be started as a bus: ${what}`,
    {},
    cause === undefined ? {} : { cause },
  );
}

export function timeoutText(seconds: number): string {
  return `it did not call exposeBus(bus) within ${seconds} s. Call it once the bus has its handlers, or raise startTimeout.`;
}

/** A thread or process that ended before it had exposed a bus. */
export function unexposedText(what: 'thread' | 'process', code: number | string, error: unknown, entry: URL): string {
  if (error === undefined) {
    return `the ${what} ended (${typeof code === 'number' ? `exit code ${code}` : code}) before it called exposeBus(bus). Call it once the bus has its handlers.`;
  }
  const text = errorText(error);
  return `it failed to load: ${text}${/[.!?]$/.test(text) ? '' : '.'}${loadHint(text, entry.href)}`;
}

/** What to do about a module, `entry`, that could not be loaded; nothing if it isn't known. */
export function loadHint(text: string, entry: string): string {
  if (/ERR_UNKNOWN_FILE_EXTENSION|Unknown file extension "\.[cm]?ts"/.test(text)) {
    return ' Node 20 runs no TypeScript in threads: point the URL to the compiled .js file, or start Node with --import tsx. In vitest that is test.execArgv.';
  }
  const [, kind, name] = /Cannot find (module|package) '([^']+)'/.exec(text) ?? [];
  if (name === undefined) return '';
  if (kind === 'package') return ` Is it installed there? npm install ${name}`;
  return entry.startsWith('file:') && name === fileURLToPath(entry)
    ? " Is the URL right? Write it as new URL('./file.js', import.meta.url)."
    : ` ${entry} is there, and imports it, itself or by another module: is the path right, its ending (.js) included?`;
}
