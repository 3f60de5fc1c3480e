import { BroadcastChannel } from 'node:worker_threads';
import type { AgentCall } from '../basics/messages.ts';

/**
 * How threads that nobody of ours has started learn of a time of looking: over a channel of the process, which reaches
 * all of its threads and nobody else. Who begins to look says so, and again to each thread that asks, as it is new.
 */
const name = 'threadbus.inspector';
const question = 'who looks?';

/** Tells all threads of this process that listen, and those to come. @returns ends that */
export function announce(call: AgentCall): () => void {
  const channel = new BroadcastChannel(name);
  channel.addEventListener('message', (message) => {
    if (dataOf(message) === question) channel.postMessage(call);
  });
  channel.unref();
  channel.postMessage(call);
  return () => channel.close();
}

/** Hears of every time of looking in this process, as long as this thread lives; keeps it for nothing. */
export function hearCalls(called: (call: AgentCall) => void): void {
  const channel = new BroadcastChannel(name);
  channel.addEventListener('message', (message) => {
    const data = dataOf(message);
    if (isCall(data)) called(data);
  });
  channel.unref();
  channel.postMessage(question);
}

function dataOf(message: unknown): unknown {
  return (message as { readonly data: unknown }).data;
}

/** Whatever else uses a channel of that name. */
function isCall(data: unknown): data is AgentCall {
  if (typeof data !== 'object' || data === null) return false;
  const { hub, port, secret, redact } = data as Partial<Record<keyof AgentCall, unknown>>;
  return (
    typeof hub === 'string' &&
    typeof port === 'number' &&
    typeof secret === 'string' &&
    (redact === null || typeof redact === 'string')
  );
}
