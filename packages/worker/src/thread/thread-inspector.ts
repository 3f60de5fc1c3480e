import type * as inspectorModule from 'node:inspector';
import { isMainThread } from 'node:worker_threads';
import { startTimer, type Timer } from '@threadbus/core/internal';
import { monotonic } from './monotonic.ts';

type Inspector = typeof inspectorModule;

/** A script as V8 tells of it. */
export interface Script {
  readonly url: string;
  /** Empty if it has none. */
  readonly sourceMapUrl: string;
}

/** A call on the stack of a thread. */
export interface Call {
  readonly functionName: string;
  readonly script: Script;
  /** From 0, both. */
  readonly line: number;
  readonly column: number;
}

/** What a thread that was stopped for a moment was doing. */
export interface Stop {
  /** Innermost first. */
  readonly calls: readonly Call[];
  /** What the expression gave there; null if none was asked for, or it failed. */
  readonly value: unknown;
}

/** What comes from the inspector of a thread: answers have an id, the rest a method. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: {
    readonly callFrames: readonly {
      readonly functionName: string;
      readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number };
    }[];
  };
  readonly result?: { readonly result?: { readonly value?: unknown }; readonly exceptionDetails?: unknown };
}

/** How V8 tells of a script; of each that a thread has loaded, before anything else can be asked. */
const scriptStart = '{"method":"Debugger.scriptParsed","params":{"scriptId":"';

/** The scripts of a thread: hundreds are told of, few are asked for. */
class Scripts {
  readonly #texts = new Map<string, string>();

  /** @returns whether the message was about one */
  take(text: string): boolean {
    if (!text.startsWith(scriptStart)) return false;
    this.#texts.set(text.slice(scriptStart.length, text.indexOf('"', scriptStart.length)), text);
    return true;
  }

  get(id: string): Script {
    const text = this.#texts.get(id);
    if (text === undefined) return { url: '', sourceMapUrl: '' };
    const { params } = JSON.parse(text) as {
      readonly params: { readonly url: string; readonly sourceMapURL?: string };
    };
    return { url: params.url, sourceMapUrl: params.sourceMapURL ?? '' };
  }
}

/** Node's inspector, loaded when it is first needed; null where there is none, or it isn't allowed. */
function loadInspector(): Inspector | null {
  try {
    return process.getBuiltinModule('node:inspector');
  } catch {
    return null;
  }
}

/**
 * A debugger is attached to this process, or may be at any moment: it was started with --inspect, or has opened its
 * inspector. Threads that stand still may stand at a breakpoint then.
 */
export function isDebugged(): boolean {
  return loadInspector()?.url() !== undefined;
}

/**
 * Stops threads for a moment to see what they are doing, even if they don't come back to their event loop.
 *
 * Only the main thread can, by its own inspector session, which sees all threads that it has started; there is one as
 * long as somebody asks. A thread in a native call doesn't stop; one that has nothing to do doesn't either.
 */
class ThreadInspector {
  readonly #session: inspectorModule.Session;
  /** Session ids of threads that can be talked to, by thread id. */
  readonly #attached = new Map<number, string>();
  readonly #listeners = new Map<string, (message: string) => void>();
  readonly #wanted = new Map<number, () => void>();
  #users = 0;
  #id = 0;

  constructor({ Session }: Inspector) {
    this.#session = new Session();
    this.#session.connect();
    this.#session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      // Its workerId is no thread id; that stands in the title alone.
      const threadId = Number(/^\[worker (\d+)\]/.exec(workerInfo.title)?.[1] ?? -1);
      this.#attached.set(threadId, sessionId);
      this.#wanted.get(threadId)?.();
    });
    this.#session.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId, message } }) => {
      this.#listeners.get(sessionId)?.(message);
    });
    this.#session.post('NodeWorker.enable', { waitForDebuggerOnStart: false }, () => undefined);
  }

  /** @returns null if the thread doesn't stop in time */
  async stop(threadId: number, seconds: () => number, expression: string | null): Promise<Stop | null> {
    this.#users += 1;
    try {
      return await new Promise((resolve) => {
        const since = monotonic();
        let timer: Timer;
        const wait = (left: number): void => {
          timer = startTimer(left, () => (monotonic() - since < seconds() ? again() : resolve(null)), true);
        };
        const again = (): void => wait(since + seconds() - monotonic());
        const done = (stop: Stop | null): void => {
          timer.cancel();
          resolve(stop);
        };
        wait(seconds());
        this.#wanted.set(threadId, () => this.#ask(threadId, expression, done));
        if (this.#attached.has(threadId)) this.#ask(threadId, expression, done);
      });
    } finally {
      this.#release(threadId);
    }
  }

  #ask(threadId: number, expression: string | null, done: (stop: Stop) => void): void {
    const sessionId = this.#attached.get(threadId) as string;
    if (this.#listeners.has(sessionId)) return;
    const scripts = new Scripts();
    let calls: readonly Call[] = [];
    let asked = -1;
    this.#listeners.set(sessionId, (text) => {
      if (scripts.take(text)) return;
      const { id, method, params, result } = JSON.parse(text) as Message;
      if (method === 'Debugger.paused' && params !== undefined) {
        calls = params.callFrames.map(({ functionName, location: { scriptId, lineNumber, columnNumber = 0 } }) => {
          return { functionName, script: scripts.get(scriptId), line: lineNumber, column: columnNumber };
        });
        if (expression === null) done({ calls, value: null });
        else asked = this.#send(sessionId, 'Runtime.evaluate', { expression, returnByValue: true, silent: true });
      } else if (id === asked) {
        done({ calls, value: result?.exceptionDetails === undefined ? (result?.result?.value ?? null) : null });
      }
    });
    this.#send(sessionId, 'Debugger.enable');
    this.#send(sessionId, 'Debugger.pause');
  }

  #send(sessionId: string, method: string, params: object = {}): number {
    this.#id += 1;
    const message = JSON.stringify({ id: this.#id, method, params });
    // A thread that has ended meanwhile can't be told anything.
    this.#session.post('NodeWorker.sendMessageToWorker', { sessionId, message }, () => undefined);
    return this.#id;
  }

  /** The thread goes on. */
  #release(threadId: number): void {
    this.#wanted.delete(threadId);
    const sessionId = this.#attached.get(threadId);
    if (sessionId !== undefined && this.#listeners.delete(sessionId)) {
      // The first alone would leave a pause that is still to come, the second one that has come.
      this.#send(sessionId, 'Debugger.resume');
      this.#send(sessionId, 'Debugger.disable');
    }
    this.#users -= 1;
    if (this.#users > 0) return;
    shared = null;
    this.#session.disconnect();
  }
}

let shared: ThreadInspector | null = null;
/** Threads that are being asked: a second question waits for the first one's answer. */
const asking = new Map<number, Promise<Stop | null>>();

/**
 * What a thread is doing right now; it goes on afterwards.
 *
 * @param seconds how long it may take, asked again when that much is over
 * @param expression evaluated in the thread while it stands
 * @returns null if that can't be had: in time, from this thread, or beside a debugger
 */
export async function stopThread(
  threadId: number,
  seconds: () => number,
  expression: string | null,
): Promise<Stop | null> {
  const inspector = loadInspector();
  if (!isMainThread || inspector === null || inspector.url() !== undefined) return null;
  await asking.get(threadId);
  try {
    shared ??= new ThreadInspector(inspector);
    const stop = shared.stop(threadId, seconds, expression);
    asking.set(threadId, stop);
    return await stop;
  } catch {
    // Node is not allowed to, or has no inspector.
    return null;
  } finally {
    asking.delete(threadId);
  }
}
