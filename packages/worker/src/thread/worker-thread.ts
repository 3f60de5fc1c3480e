import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import {
  FrameUnread,
  type Link,
  linkOver,
  outsideContexts,
  portTransport,
  type RemoteBus,
  TransportEnded,
} from '@threadbus/link/internal';
import { busEngine, type BusIdentity, errorText, newId, type ThreadPlace } from '@threadbus/core/internal';
import type { BusHost, HostEnd, HostPlan } from './bus-host.ts';
import { ControlClient, type ControlPort } from './control.ts';
import { tellLostLines } from './lost-lines.ts';
import { nodeEndpoint } from './comlink-node-adapter.ts';
import { SharedBoardReader } from './shared-board.ts';
import { threadEntry } from '../entries.ts';
import { isWorkerStartError } from '../errors.ts';
import { behindOutput, flushOutput } from './host-output.ts';
import type { ResolvedWorkerOptions } from '../options.ts';
import { HostStart } from './host-start.ts';
import { refusesModules } from './node-options.ts';
import { startError, timeoutText, unexposedText } from './start-failure.ts';
import type { ThreadMessage } from './thread-state.ts';

/** More frames than this are not read at once from a thread that is gone: one that blocks may be writing them still. */
const lastFrames = 4096;

/** One thread with a bus in it. Its ports never keep the process alive. */
export class WorkerThread implements BusHost {
  readonly pid: number = process.pid;
  readonly place: ThreadPlace;
  readonly link: Link;
  readonly control: ControlClient;
  readonly board: SharedBoardReader = new SharedBoardReader();
  readonly ready: Promise<BusIdentity>;
  /** How many lines of logs it has not written. */
  readonly #unwritten = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  readonly #plan: HostPlan;
  readonly #worker: Worker;
  readonly #events: MessagePort;
  readonly #onEnd: (end: HostEnd) => void;
  readonly #start: HostStart;
  #error: unknown = undefined;
  #unread = false;
  #ended = false;

  /** @param onEnd told when a thread that was up has ended by itself */
  constructor(plan: HostPlan, remote: RemoteBus, onEnd: (end: HostEnd) => void) {
    this.#plan = plan;
    this.#onEnd = onEnd;
    const { options } = plan;
    const parent = options.parent === null ? null : { ...busEngine(options.parent).identity };
    [this.#worker, this.link, this.control, this.#events] = outsideContexts(() => {
      const events = new MessageChannel();
      const control = new MessageChannel();
      const init: ThreadMessage = {
        entry: plan.entry.href,
        events: events.port2,
        control: control.port2,
        id: plan.id,
        name: plan.name,
        suffix: plan.suffix,
        parent,
        board: this.board.buffer,
        unwritten: this.#unwritten.buffer,
        workerData: options.workerData,
      };
      const worker = startWorker(init, options, [events.port1, control.port1]);
      plan.output.take(worker);
      const identity = parent ?? { id: newId(), name: 'the starter' };
      const link = linkOver(remote, behindOutput(portTransport(events.port1), worker), {
        bus: options.parent,
        identity,
        onLost: (error) => this.#lost(error),
      });
      events.port1.unref();
      return [worker, link, new ControlClient(link, portControl(control.port1)), events.port1] as const;
    });
    this.place = { threadId: this.#worker.threadId, pid: process.pid };
    this.#start = new HostStart(options, this.place.pid, (seconds) => this.#failStart(timeoutText(seconds)));
    this.ready = this.#start.ready;
    this.#worker.on('error', (error: unknown) => {
      this.#error ??= error;
    });
    this.#worker.on('exit', (code) => this.#exited(code));
  }

  hello(bus: BusIdentity): void {
    this.keepAlive(false);
    this.#start.succeed(bus);
  }

  refuse(error: Error): void {
    this.#failStart(error.message, error);
  }

  keepAlive(needed: boolean): void {
    // The worker, not its port: the news of its death must arrive too.
    if (this.#ended) return;
    if (needed) this.#worker.ref();
    else this.#worker.unref();
  }

  get idleTime(): number {
    return this.#worker.performance.eventLoopUtilization().idle / 1000;
  }

  catchUp(then: () => void): void {
    this.#readAll();
    then();
  }

  #readAll(): void {
    if (this.#ended) return;
    flushOutput(this.#worker);
    for (let frames = 0; frames < lastFrames; frames += 1) {
      const received = receiveMessageOnPort(this.#events);
      if (received === undefined) return;
      this.link.readFrame(received.message as readonly unknown[]);
    }
  }

  /** Nobody can talk to it any more. That its port is closed is the end of the thread itself, which says more. */
  #lost(error: Error): void {
    if (error instanceof TransportEnded || this.#ended) return;
    this.#unread ||= error instanceof FrameUnread;
    this.#error ??= error;
    if (!this.#start.pending) void this.#worker.terminate();
    else this.#failStart(error.message, error);
  }

  terminate(error: Error): void {
    if (this.#ended) return;
    this.#end(error);
    flushOutput(this.#worker);
    void this.#worker.terminate();
  }

  #failStart(what: string, cause?: unknown): void {
    if (this.#start.pending) this.terminate(startError(this.#plan.entry, what, cause));
  }

  #exited(code: number): void {
    flushOutput(this.#worker);
    tellLostLines(Atomics.load(this.#unwritten, 0), this.#plan);
    if (this.#ended) return;
    if (this.#start.pending) {
      this.#end(
        startError(this.#plan.entry, unexposedText('thread', code, this.#error, this.#plan.entry), this.#error),
      );
      return;
    }
    this.#readAll();
    const error = this.#error;
    const text = error !== undefined ? `crashed: ${errorText(error)}` : `exited with code ${code}`;
    this.#onEnd({ text, error, unread: this.#unread });
  }

  #end(error: Error): void {
    this.#ended = true;
    this.#start.fail(error);
    this.link.close();
    this.#events.close();
    this.control.fail(error);
  }
}

/** @throws what Node says of the options; the ports are closed then */
function startWorker(
  init: ThreadMessage,
  { execArgv, env, argv, name, resourceLimits }: ResolvedWorkerOptions,
  ownPorts: readonly MessagePort[],
): Worker {
  const entry = new URL(init.entry);
  try {
    const asText = execArgv === undefined && refusesModules();
    return new Worker(asText ? `import(${JSON.stringify(threadEntry().href)})` : threadEntry(), {
      eval: asText,
      workerData: init,
      transferList: [init.events, init.control],
      name: name ?? (entry.protocol === 'file:' ? entry.pathname.replace(/.*\//, '') : 'WorkerBus'),
      // What isn't given is not to be passed: Node inherits then.
      ...(execArgv !== undefined && { execArgv }),
      ...(env !== undefined && { env }),
      ...(argv !== undefined && { argv }),
      ...(resourceLimits !== undefined && { resourceLimits }),
    });
  } catch (error) {
    for (const port of ownPorts) port.close();
    if (isWorkerStartError(error)) throw error;
    const { name: kind, message } = error as Error;
    const what = kind === 'DataCloneError' ? `its workerData can't be cloned: ${message}` : message;
    throw startError(entry, what, error);
  }
}

function portControl(port: MessagePort): ControlPort {
  return {
    endpoint: nodeEndpoint(port),
    ref: () => port.ref(),
    unref: () => port.unref(),
    close: () => port.close(),
  };
}
