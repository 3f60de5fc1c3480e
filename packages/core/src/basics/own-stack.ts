const frame = /^\s+at /;
/** Files of this project's packages, installed or in their repository, and of Node.js itself. */
const notOurUsers =
  /[/\\](?:@threadbus|packages)[/\\](?:core|link|worker|semaphore|nats|opentelemetry|inspector)[/\\](?:dist|src)[/\\]|\bnode:/;

/** An error's stack with the frames of the code that was called by a bus, without those of the bus. */
export function ownStack(error: Error): string {
  const { stack, name, message } = error;
  return typeof stack === 'string' ? ownFrames(stack) : `${name}: ${message}`;
}

/** The same of a stack that is text already. */
export function ownFrames(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !frame.test(line) || !notOurUsers.test(line))
    .join('\n');
}
