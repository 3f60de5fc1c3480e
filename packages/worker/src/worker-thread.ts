import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { busEngine, type BusIdentity, describe, newId, startTimer } from '@threadbus/core/internal';
import type { BoardReader } from './board.ts';
import { ControlClient } from './control.ts';
import { WorkerStartError } from './errors.ts';
import type { Link } from './link.ts';
import type { ResolvedWorkerOptions } from './options.ts';
import { linkOverPort } from './port-link.ts';
import { outsideContexts } from './portable.ts';
import type { RemoteBus } from './remote-bus.ts';
import type { ThreadInit } from './thread-state.ts';

/** What a new thread is to become. */
export interface ThreadPlan {
  readonly entry: URL;
  readonly id: string;
  /** Null for the first thread: the bus keeps its name, with the suffix behind it. */
  readonly name: string | null;
  readonly suffix: string;
  readonly board: BoardReader;
  readonly options: ResolvedWorkerOptions;
}

/** How a thread ended. */
export interface ThreadEnd {
  readonly code: number;
  /** What was thrown and not caught, or why the thread ran out of memory; undefined if it just exited. */
  readonly error: unknown;
}

/** One thread with a bus in it, from its start to its end. Node's Worker with a link, a control port, and an end. */
export class WorkerThread {
  readonly threadId: number;
  readonly link: Link;
  readonly control: ControlClient;
  readonly #worker: Worker;
  readonly #ports: readonly MessagePort[];
  #error: unknown = undefined;
  #ended = false;
  #onEnd: (end: ThreadEnd) => void = () => undefined;

  constructor(plan: ThreadPlan, remote: RemoteBus) {
    const { options } = plan;
    const parent = options.parent === null ? null : { ...busEngine(options.parent).identity };
    [this.#worker, this.link, this.control, this.#ports] = outsideContexts(() => {
      const events = new MessageChannel();
      const control = new MessageChannel();
      const init: ThreadInit = {
        entry: plan.entry.href,
        events: events.port2,
        control: control.port2,
        id: plan.id,
        name: plan.name,
        suffix: plan.suffix,
        parent,
        board: plan.board.buffer,
        workerData: options.workerData,
      };
      const worker = new Worker(new URL('./worker-entry.js', import.meta.url), {
        workerData: init,
        transferList: [events.port2, control.port2],
        execArgv: [...options.execArgv],
        ...(options.resourceLimits !== undefined && { resourceLimits: options.resourceLimits }),
      });
      const identity = parent ?? { id: newId(), name: 'the starter' };
      const link = linkOverPort(remote, events.port1, { bus: options.parent, identity, onClose: () => undefined });
      events.port1.unref();
      return [worker, link, new ControlClient(link, control.port1), [events.port1, control.port1]] as const;
    });
    this.threadId = this.#worker.threadId;
    this.#worker.on('error', (error: unknown) => {
      this.#error ??= error;
    });
    this.#worker.on('exit', (code) => this.#end(code));
    this.#worker.unref();
  }

  set onEnd(onEnd: (end: ThreadEnd) => void) {
    this.#onEnd = onEnd;
  }

  /** Whether the process must stay up for what the thread does. */
  keepAlive(needed: boolean): void {
    // The worker too, not just its port: the news of its death must arrive.
    if (this.#ended) return;
    if (needed) {
      this.#worker.ref();
      this.#ports[0]?.ref();
    } else {
      this.#worker.unref();
      this.#ports[0]?.unref();
    }
  }

  /** Asks the thread to end, and doesn't wait for it: a native call can hold it for long. */
  terminate(): void {
    this.#onEnd = () => undefined;
    this.#ended = true;
    this.close();
    this.#worker.terminate().catch(() => undefined);
  }

  /** Nothing that the thread has sent is read any more. */
  close(): void {
    this.link.close();
    for (const port of this.#ports) port.close();
  }

  #end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.close();
    this.#onEnd({ code, error: this.#error });
  }
}

/** Resolves to the bus's identity once the thread has exposed it. */
export function startThread(
  thread: WorkerThread,
  hello: Promise<BusIdentity>,
  { entry, options }: ThreadPlan,
): Promise<BusIdentity> {
  const { startTimeout } = options;
  return new Promise((resolve, reject) => {
    const fail = (what: string, cause?: unknown): void => {
      timer?.cancel();
      thread.terminate();
      reject(new WorkerStartError(`${entry.href} could not be started as a bus: ${what}`, {}, { cause }));
    };
    const timer =
      startTimeout === null
        ? null
        : startTimer(
            startTimeout,
            () =>
              fail(`it did not call exposeBus(bus) within ${startTimeout} s. Call it once the bus has its handlers.`),
            true,
          );
    thread.onEnd = ({ code, error }) => fail(endText(code, error), error);
    hello.then(
      (identity) => {
        timer?.cancel();
        resolve(identity);
      },
      (error: unknown) => fail((error as Error).message, error),
    );
  });
}

function endText(code: number, error: unknown): string {
  if (error === undefined) return `the thread ended (exit code ${code}) before it called exposeBus(bus).`;
  const text = error instanceof Error ? `${error.name}: ${error.message}` : describe(error);
  const hint = /ERR_UNKNOWN_FILE_EXTENSION|Unknown file extension ".ts"/.test(text)
    ? ' Node 20 runs no TypeScript in threads: point the URL to the compiled .js file.'
    : /ERR_MODULE_NOT_FOUND|Cannot find module/.test(text)
      ? " Is the URL right? Write it as new URL('./file.js', import.meta.url)."
      : '';
  return `it failed to load: ${text}.${hint}`;
}
