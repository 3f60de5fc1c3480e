import { randomBytes } from 'node:crypto';
import { BroadcastChannel, getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { SemaphoreUnavailableError } from '../basics/errors.ts';
import { delay } from '../basics/seconds.ts';
import { unavailable } from '../basics/semaphore-directory.ts';
import { SharedMemory } from './shared-memory.ts';
import { SharedRegistry } from './shared-registry.ts';

// How a thread finds the memory that all threads share:
//
// 1. It was started by a thread that had it, directly or not: environment data is handed down at the start, which needs
//    no running event loop. Measured: a SharedArrayBuffer goes through, and stays shared.
// 2. It is asked for over a broadcast channel, which any thread that has it answers. No answer does not mean that nobody
//    has it: all of them may be blocked. So each one that has it shows so (shared-registry.ts); who finds no other makes
//    the memory, and of two at the same moment neither does. This covers threads that are older than the first use, and
//    pools whose main thread never loads this package.
//    If the threads that had it have all ended, that shows too, and the new memory's rates begin as if they had just been
//    used up (shared-rate.ts).
// 3. If that can't be shown either, a worker can't know, and gets an error instead of a count of its own.

const KEY = '@threadbus/semaphore.shared.v2';
/** How long the threads that have the memory may all be blocked until another one gives up. */
const ANSWER_S = 5;
const ASK_AGAIN_S = 0.05;

export interface SharedState {
  readonly memory: SharedMemory;
  /** Word that changes when this thread is woken. */
  readonly mailbox: number;
}

interface Message {
  readonly ask?: boolean;
  readonly buffer?: SharedArrayBuffer;
}

let state: SharedState | undefined;
let joining: Promise<SharedState> | undefined;

/**
 * The state, if this thread has it or can have it at once.
 *
 * @throws {SemaphoreUnavailableError} this thread can't reach it
 */
export function currentState(semaphore: string): SharedState | undefined {
  if (state !== undefined) return state;
  const inherited = SharedMemory.from(getEnvironmentData(KEY));
  state = inherited === undefined ? createState(semaphore) : adopt(inherited);
  return state;
}

/**
 * The state that all threads of the process share.
 *
 * @throws {SemaphoreUnavailableError} this thread can't reach it
 */
export async function joinState(semaphore: string): Promise<SharedState> {
  joining ??= findState(semaphore).finally(() => (joining = undefined));
  return (state ??= await joining);
}

async function findState(semaphore: string): Promise<SharedState> {
  const deadline = performance.now() + ANSWER_S * 1000;
  while (performance.now() < deadline) {
    const joined = currentState(semaphore) ?? (await askFor(semaphore));
    if (joined !== undefined) return joined;
  }
  throw new SemaphoreUnavailableError(
    semaphore,
    `expected a thread that has the shared state of this process to answer within ${ANSWER_S}s, got none: all of them ` +
      'are blocked. Use a semaphore on the main thread before the first worker starts: its workers have the state from the start then.',
  );
}

/** Makes the memory if no live thread has it. */
function createState(semaphore: string): SharedState | undefined {
  const registry = new SharedRegistry();
  const id = randomBytes(8).toString('hex');
  let isFirst = true;
  try {
    registry.make(semaphore);
    const entered = registry.enterAlone(id);
    if (entered === undefined) return undefined;
    isFirst = entered.isFirst;
  } catch (error) {
    // Where the main thread can't write, no worker could have made the memory without it.
    if (!isMainThread || registry.hasMembers()) throw asUnavailable(semaphore, registry, error);
  }
  return adopt(SharedMemory.create(id, isFirst), registry);
}

/** Asks those that have the memory. Between two tries the last of them may end. */
async function askFor(semaphore: string): Promise<SharedState | undefined> {
  const channel = new BroadcastChannel(KEY);
  const stop = new AbortController();
  let memory: SharedMemory | undefined;
  onMessage(channel, ({ buffer }) => {
    memory ??= SharedMemory.from(buffer);
    if (memory !== undefined) stop.abort();
  });
  try {
    channel.postMessage({ ask: true } satisfies Message);
    await delay(ASK_AGAIN_S * (0.5 + Math.random()), stop.signal).catch(() => {});
  } finally {
    channel.close();
  }
  if (memory === undefined) return undefined;
  const registry = new SharedRegistry();
  try {
    registry.make(semaphore);
    return registry.enterBeside(memory.id) ? adopt(memory, registry) : undefined;
  } catch (error) {
    throw asUnavailable(semaphore, registry, error);
  }
}

function asUnavailable(semaphore: string, { path }: SharedRegistry, error: unknown): Error {
  return error instanceof SemaphoreUnavailableError ? error : unavailable(semaphore, path, error);
}

function adopt(memory: SharedMemory, registry?: SharedRegistry): SharedState {
  const entered = memory.enterThread();
  if (entered === undefined) {
    throw new SemaphoreUnavailableError('global', 'expected fewer threads that use it at once, got more than 1024.');
  }
  if (isMainThread) memory.staysWithProcess();
  registry?.keepAtEnd(() => memory.isRemembered);
  setEnvironmentData(KEY, memory.buffer);
  const channel = new BroadcastChannel(KEY);
  onMessage(channel, ({ ask }) => {
    if (ask === true) channel.postMessage({ buffer: memory.buffer } satisfies Message);
  });
  // Typed for the browser, where there is nothing to keep alive.
  (channel as unknown as { unref(): void }).unref();
  return { memory, mailbox: entered.mailbox };
}

function onMessage(channel: BroadcastChannel, listener: (message: Message) => void): void {
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- Node's types know the property only
  channel.onmessage = (event: unknown) => listener((event as { data: Message }).data);
}
