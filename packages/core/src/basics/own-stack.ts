const frame = /^\s+at /;
/** Files of this project's packages, installed or in their repository, and of Node.js itself. */
const notOurUsers =
  /[/\\](?:@threadbus|packages)[/\\](?:core|link|worker|semaphore|nats)[/\\](?:dist|src)[/\\]|\bnode:/;

/** An error's stack with the frames of the code that was called by a bus, without those of the bus. */
export function ownStack(error: Error): string {
  const { stack, name, message } = error;
  if (typeof stack !== 'string') return `${name}: ${message}`;
  return stack
    .split('\n')
    .filter((line) => !frame.test(line) || !notOurUsers.test(line))
    .join('\n');
}
