/**
 * Opens the page of a program that doesn't do so itself: `node --import @threadbus/inspector/register main.js`.
 *
 * The port is `THREADBUS_INSPECTOR_PORT`, any by default; the address goes to stderr. Threads and processes inherit this
 * module: threads, your own (`new Worker`) included, and processes of our packages report to the page that is open
 * already, and open none. A page that can't be opened is said so, and ends nothing.
 */
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { processEntry } from '@threadbus/worker/internal';
import { hearCalls } from './agent/announce.ts';
import type { AgentCall } from './basics/messages.ts';
import { agentEntry } from './entries.ts';
import { inspect } from './inspect.ts';

const variable = 'THREADBUS_INSPECTOR_PORT';

if (!isMainThread) {
  // By its address, so that it is the same module as for those that our packages have started.
  const entry = async (call: AgentCall): Promise<void> => {
    const { default: enter } = (await import(agentEntry)) as { readonly default: (data: AgentCall) => Promise<void> };
    await enter(call);
  };
  hearCalls((call) => void entry(call).catch(() => undefined));
} else if (process.argv[1] !== fileURLToPath(processEntry())) {
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
