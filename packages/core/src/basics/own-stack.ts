import { describe } from './describe.ts';

const frame = /^\s+at /;
/** Files of this project's packages, installed or in their repository, and of Node.js itself. */
const notOurUsers =
  /[/\\](?:@threadbus|packages)[/\\](?:core|link|worker|semaphore|nats|opentelemetry|inspector)[/\\](?:dist|src)[/\\]|\bnode:/;

/** How many causes of causes are shown. */
const shownCauses = 5;

/**
 * An error's stack with the frames of the code that was called by a bus, without those of the bus; then those of its
 * causes, as Node.js shows them. What can't be looked at is said to be so.
 */
export function ownStack(error: Error): string {
  let text = '';
  let next: unknown = error;
  for (let depth = 0; next !== undefined && depth <= shownCauses; depth += 1) {
    const { shown, cause } = look(next);
    if (shown === null) break;
    text += depth === 0 ? shown : `\n  [cause]: ${shown.replaceAll('\n', '\n  ')}`;
    next = cause;
  }
  return text;
}

/** @returns null for what is no error */
function look(error: unknown): { readonly shown: string | null; readonly cause: unknown } {
  try {
    if (!(error instanceof Error)) return { shown: null, cause: undefined };
    const { stack, name, message, cause } = error;
    return { shown: typeof stack === 'string' ? ownFrames(stack) : `${name}: ${message}`, cause };
  } catch {
    return { shown: describe(error), cause: undefined };
  }
}

/** The same of a stack that is text already. */
export function ownFrames(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !frame.test(line) || !notOurUsers.test(line))
    .join('\n');
}
