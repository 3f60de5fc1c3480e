import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel, getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { SemaphoreUnavailableError } from '../basics/errors.ts';
import { removeAtExit } from '../basics/exit-cleanup.ts';
import { isMarkDead, markState, newMark } from '../basics/marks.ts';
import { runSteps } from '../basics/run-steps.ts';
import { makeDirectory, ownDirectory, unavailable } from '../basics/semaphore-directory.ts';
import { delay } from '../basics/seconds.ts';
import { SharedMemory } from './shared-memory.ts';
import { claim, reap } from '../basics/slot-steps.ts';
import { selfIdentity } from '../basics/thread-identity.ts';

// How a thread finds the memory that all threads share:
//
// 1. It was started by a thread that had it, directly or not: environment data is handed down at the start, which needs
//    no running event loop. Measured: a SharedArrayBuffer goes through, and stays shared.
// 2. It is asked for over a broadcast channel, which any thread that has it answers. No answer does not mean that nobody
//    has it: all of them may be blocked. So each one that has it shows so by a flag in a folder of this process, as for a
//    slot; who finds no other flag makes the memory, and of two at the same moment neither does. This covers threads that
//    are older than the first use, and pools whose main thread never loads this package.
// 3. If the folder can't be used either, a worker can't know, and gets an error instead of a count of its own.

const KEY = '@threadbus/semaphore.shared.v1';
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

/** The state, if this thread has it or can have it at once. */
export function currentState(): SharedState | undefined {
  if (state === undefined) {
    const inherited = SharedMemory.from(getEnvironmentData(KEY));
    if (inherited !== undefined) state = adopt(inherited);
  }
  return state;
}

/**
 * The state that all threads of the process share.
 *
 * @throws {SemaphoreUnavailableError} this thread can't reach it
 */
export async function joinState(semaphore: string): Promise<SharedState> {
  const current = currentState();
  if (current !== undefined) return current;
  joining ??= findState(semaphore).finally(() => (joining = undefined));
  return (state ??= await joining);
}

async function findState(semaphore: string): Promise<SharedState> {
  // Not by the environment, which a worker may have another one of: all threads must look at the same place.
  const base = ownDirectory(process.platform === 'win32' ? tmpdir() : '/tmp');
  const { namespace, pid } = selfIdentity();
  const registry = join(base, `process-${namespace}-${pid}`);
  const deadline = performance.now() + ANSWER_S * 1000;
  try {
    makeDirectory(semaphore, base, true);
    while (performance.now() < deadline) {
      makeDirectory(semaphore, registry, true);
      const joined = createAlone(registry) ?? (await askFor(registry));
      if (joined !== undefined) return joined;
    }
  } catch (error) {
    // Where the main thread can't write, no worker could have made the memory without it.
    if (isMainThread && !hasMembers(registry)) return adopt(SharedMemory.create(newId()));
    throw error instanceof SemaphoreUnavailableError ? error : unavailable(semaphore, registry, error);
  }
  throw new SemaphoreUnavailableError(
    semaphore,
    `expected a thread that has the shared state of this process to answer within ${ANSWER_S}s, got none: all of them ` +
      'are blocked. Use a semaphore on the main thread before the first worker starts: its workers have the state from the start then.',
  );
}

/** Makes the memory if no live thread has it. */
function createAlone(registry: string): SharedState | undefined {
  const place = { folder: registry, prefix: '' };
  if (runSteps(place, reap(), (flag) => isMarkDead(flag, () => 0)) === 'busy') return undefined;
  const id = newId();
  const flag = newMark(id);
  const outcome = runSteps(place, claim(flag));
  if (outcome === 'busy') return undefined;
  if (outcome !== 'held') {
    // The last one that was in there has just removed the folder.
    if (outcome.code === 'ENOENT') return undefined;
    throw Object.assign(new Error(`${outcome.code}: ${registry}`), outcome);
  }
  removeAtExit(join(registry, flag), registry);
  removeOldRegistries(registry);
  return adopt(SharedMemory.create(id));
}

const newId = (): string => randomBytes(8).toString('hex');

/** Asks those that have the memory. Between two tries the last of them may end. */
async function askFor(registry: string): Promise<SharedState | undefined> {
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
  // Shown first, checked then: if the last other one has ended meanwhile, someone may have made a new memory.
  const id = memory.id;
  const flag = newMark(id);
  try {
    writeFileSync(join(registry, flag), '', { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const others = readdirSync(registry).filter((name) => name !== flag && name.startsWith(`${id}.`));
  if (others.some((name) => markState(name) === 'alive')) {
    removeAtExit(join(registry, flag), registry);
    return adopt(memory);
  }
  unlinkSync(join(registry, flag));
  return undefined;
}

function adopt(memory: SharedMemory): SharedState {
  const entered = memory.enterThread();
  if (entered === undefined) {
    throw new SemaphoreUnavailableError('global', 'expected fewer threads that use it at once, got more than 1024.');
  }
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

function hasMembers(registry: string): boolean {
  try {
    return readdirSync(registry).some((flag) => markState(flag) === 'alive');
  } catch {
    return false;
  }
}

/** Folders of processes that were killed. */
function removeOldRegistries(own: string): void {
  const base = join(own, '..');
  for (const name of readdirSync(base)) {
    const path = join(base, name);
    if (!name.startsWith('process-') || path === own) continue;
    try {
      const flags = readdirSync(path);
      if (flags.every((flag) => markState(flag) === 'dead')) rmSync(path, { recursive: true });
    } catch {
      // Someone else removes it.
    }
  }
}
