import { describe } from '@threadbus/core/internal';
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
export function unexposedText(what: 'thread' | 'process', code: number | string, error: unknown): string {
  if (error === undefined) {
    return `the ${what} ended (${typeof code === 'number' ? `exit code ${code}` : code}) before it called exposeBus(bus). Call it once the bus has its handlers.`;
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : describe(error);
  return `it failed to load: ${text}${/[.!?]$/.test(text) ? '' : '.'}${loadHint(text)}`;
}

/** What to do about a module that could not be loaded; nothing if it isn't known. */
export function loadHint(text: string): string {
  if (/ERR_UNKNOWN_FILE_EXTENSION|Unknown file extension "\.[cm]?ts"/.test(text)) {
    return ' Node 20 runs no TypeScript in threads: point the URL to the compiled .js file, or start Node with --import tsx.';
  }
  if (/ERR_MODULE_NOT_FOUND|Cannot find (?:module|package)/.test(text)) {
    return " Is the URL right? Write it as new URL('./file.js', import.meta.url).";
  }
  return '';
}
