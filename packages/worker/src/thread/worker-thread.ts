import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type Link, linkOver, outsideContexts, portTransport, type RemoteBus } from '@threadbus/link/internal';
import { busEngine, type BusIdentity, newId, startTimer, type Timer } from '@threadbus/core/internal';
import type { BoardReader } from './board.ts';
import { ControlClient } from './control.ts';
import { threadEntry } from '../entries.ts';
import type { ResolvedWorkerOptions } from '../options.ts';
import { startError, timeoutText, unexposedText } from './start-failure.ts';
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

/** How a thread ended by itself. */
export interface ThreadEnd {
  readonly code: number;
  /** What was thrown and not caught, or why the thread ran out of memory; undefined if it just exited. */
  readonly error: unknown;
}

/** More frames than this are not read at once from a thread that is gone: one that blocks may be writing them still. */
const lastFrames = 4096;

/**
 * One thread with a bus in it: starting, then up once the bus is exposed, then ended, by itself or by `terminate`.
 *
 * Its ports don't keep the process alive, nor does it once it is up, unless it is told so.
 */
export class WorkerThread {
  readonly threadId: number;
  readonly link: Link;
  readonly control: ControlClient;
  /** The bus over there, once it is exposed; rejects if the thread ends before that. */
  readonly ready: Promise<BusIdentity>;
  readonly #plan: ThreadPlan;
  readonly #worker: Worker;
  readonly #events: MessagePort;
  readonly #onEnd: (end: ThreadEnd) => void;
  readonly #startTimer: Timer | null;
  #start: { readonly resolve: (bus: BusIdentity) => void; readonly reject: (error: Error) => void } | null = null;
  #error: unknown = undefined;
  #ended = false;

  /** @param onEnd told when a thread that was up has ended by itself */
  constructor(plan: ThreadPlan, remote: RemoteBus, onEnd: (end: ThreadEnd) => void) {
    this.#plan = plan;
    this.#onEnd = onEnd;
    const { options } = plan;
    const parent = options.parent === null ? null : { ...busEngine(options.parent).identity };
    [this.#worker, this.link, this.control, this.#events] = outsideContexts(() => {
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
      const worker = startWorker(init, options, [events.port1, control.port1]);
      const identity = parent ?? { id: newId(), name: 'the starter' };
      const link = linkOver(remote, portTransport(events.port1), {
        bus: options.parent,
        identity,
        onLost: () => undefined,
      });
      events.port1.unref();
      return [worker, link, new ControlClient(link, control.port1), events.port1] as const;
    });
    this.threadId = this.#worker.threadId;
    this.ready = new Promise((resolve, reject) => {
      this.#start = { resolve, reject };
    });
    const { startTimeout } = options;
    this.#startTimer =
      startTimeout === null ? null : startTimer(startTimeout, () => this.#failStart(timeoutText(startTimeout)), true);
    this.#worker.on('error', (error: unknown) => {
      this.#error ??= error;
    });
    this.#worker.on('exit', (code) => this.#exited(code));
  }

  /** The bus over there has introduced itself. */
  hello(bus: BusIdentity): void {
    this.#startTimer?.cancel();
    this.keepAlive(false);
    this.#start?.resolve(bus);
    this.#start = null;
  }

  /** The bus over there is none that this side can talk to. */
  refuse(error: Error): void {
    this.#failStart(error.message, error);
  }

  /** Whether the process must stay up for what the thread does. A starting one keeps it up anyway. */
  keepAlive(needed: boolean): void {
    // The worker, not its port: the news of its death must arrive too.
    if (this.#ended) return;
    if (needed) this.#worker.ref();
    else this.#worker.unref();
  }

  /** Reads what the thread has sent and this side has had no time for. */
  catchUp(): void {
    if (this.#ended) return;
    for (let frames = 0; frames < lastFrames; frames += 1) {
      const received = receiveMessageOnPort(this.#events);
      if (received === undefined) return;
      this.link.readFrame(received.message as readonly unknown[]);
    }
  }

  /** Asks the thread to end, and doesn't wait for it: a native call can hold it for long. Nothing more is read from it. */
  terminate(error: Error): void {
    if (this.#ended) return;
    this.#end(error);
    void this.#worker.terminate();
  }

  #failStart(what: string, cause?: unknown): void {
    if (this.#start !== null) this.terminate(startError(this.#plan.entry, what, cause));
  }

  #exited(code: number): void {
    if (this.#ended) return;
    if (this.#start !== null) {
      this.#end(startError(this.#plan.entry, unexposedText(code, this.#error), this.#error));
      return;
    }
    this.catchUp();
    this.#onEnd({ code, error: this.#error });
  }

  #end(error: Error): void {
    this.#ended = true;
    this.#startTimer?.cancel();
    this.#start?.reject(error);
    this.#start = null;
    this.link.close();
    this.#events.close();
    this.control.fail(error);
  }
}

/** @throws what Node says of the options; the ports are closed then */
function startWorker(
  init: ThreadInit,
  { execArgv, resourceLimits }: ResolvedWorkerOptions,
  ownPorts: readonly MessagePort[],
): Worker {
  try {
    return new Worker(threadEntry, {
      workerData: init,
      transferList: [init.events, init.control],
      execArgv: [...execArgv],
      ...(resourceLimits !== undefined && { resourceLimits }),
    });
  } catch (error) {
    for (const port of ownPorts) port.close();
    throw startError(new URL(init.entry), (error as Error).message, error);
  }
}
