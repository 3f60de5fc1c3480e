/**
 * Opens the page of a program that doesn't do so itself: `node --import @threadbus/inspector/register main.js`.
 *
 * The port is `THREADBUS_INSPECTOR_PORT`, any by default; the address goes to stderr. Threads and processes inherit this
 * module; those of our packages report to the page that is open already, and open none. A page that can't be opened is
 * said so, and ends nothing.
 */
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { processEntry } from '@threadbus/worker/internal';
import { inspect } from './inspect.ts';

const variable = 'THREADBUS_INSPECTOR_PORT';

if (isMainThread && process.argv[1] !== fileURLToPath(processEntry())) {
  const text = process.env[variable] ?? '';
  try {
    const port = text === '' ? 0 : Number(text);
    if (Number.isNaN(port)) throw new TypeError(`Expected ${variable} to be a port, got \`${text}\`.`);
    const { url } = await inspect({ port });
    process.stderr.write(`threadbus inspector: ${url}\n`);
  } catch (error) {
    process.stderr.write(`threadbus inspector: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
