import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import { deserialize } from 'node:v8';
import { fileURLToPath } from 'node:url';
import {
  busEngine,
  type BusIdentity,
  errorText,
  isReadableError,
  newId,
  setImmediate,
  startTimer,
  type ThreadPlace,
  type Timer,
} from '@threadbus/core/internal';
import { streamTransport, type Transport } from '@threadbus/link';
import {
  decodeThrown,
  FrameUnread,
  type Link,
  linkOver,
  outsideContexts,
  type RemoteBus,
  socketTransport,
} from '@threadbus/link/internal';
import { processEntry } from '../entries.ts';
import { isWorkerStartError } from '../errors.ts';
import type { ResolvedWorkerOptions } from '../options.ts';
import type { BusHost, HostEnd, HostPlan } from '../thread/bus-host.ts';
import { ControlClient, type ControlPort } from '../thread/control.ts';
import { HostStart } from '../thread/host-start.ts';
import { tellLostLines } from '../thread/lost-lines.ts';
import { startError, timeoutText, unexposedText } from '../thread/start-failure.ts';
import type { HostInit } from '../thread/thread-state.ts';
import { StreamEndpoint } from './control-stream.ts';
import { boardFd, controlFd, lifelineFd, linkFd } from './descriptors.ts';
import { FileBoardReader } from './file-board-reader.ts';
import { inheritedFlags, limitFlags } from './node-flags.ts';

/** Seconds for what a process has written to arrive once it is gone; whoever it has started may hold its streams open. */
const lastWords = 1;

/**
 * One process with a bus in it.
 *
 *   starting ──hello──▶ up ──▶ gone (the process has ended) ──its stream has too──▶ ended, told
 *      └── ends, takes too long ──▶ ended          └── terminate ──▶ ended, not told
 *
 * What it had started stands on the board, which outlives it; what it had answered is in the stream, which is read to
 * its end before anybody decides what became of its events.
 */
export class WorkerProcess implements BusHost {
  readonly place: ThreadPlace;
  readonly link: Link;
  readonly control: ControlClient;
  readonly board: FileBoardReader;
  readonly ready: Promise<BusIdentity>;
  readonly #plan: HostPlan;
  readonly #child: ChildProcess;
  readonly #events: Transport;
  readonly #onEnd: (end: HostEnd) => void;
  readonly #start: HostStart;
  /** What it ended with; undefined while it lives. */
  #code: number | NodeJS.Signals | undefined = undefined;
  #error: unknown = undefined;
  #drained = false;
  #lastWords: Timer | null = null;
  #unread = false;
  #ended = false;

  /** @param onEnd told when a process that was up has ended by itself */
  constructor(plan: HostPlan, remote: RemoteBus, onEnd: (end: HostEnd) => void) {
    this.#plan = plan;
    this.#onEnd = onEnd;
    const { options } = plan;
    this.board = openBoard(plan.entry);
    const parent = options.parent === null ? null : { ...busEngine(options.parent).identity };
    this.#child = outsideContexts(() => startProcess(plan.entry, options, this.board));
    this.place = { threadId: 0, pid: this.#child.pid ?? -1 };
    plan.output.take(this.#child);
    const link = streamOf(this.#child, linkFd);
    const control = streamOf(this.#child, controlFd);
    // It is never written to, and its end means nothing here.
    streamOf(this.#child, lifelineFd)
      .on('error', () => undefined)
      .unref();
    this.#events = socketTransport(link);
    const controlTransport = streamTransport(control, control);
    const endpoint = new StreamEndpoint(controlTransport);
    const { entry, id, name, suffix } = plan;
    const init: HostInit = { entry: entry.href, id, name, suffix, parent, workerData: options.workerData };
    this.link = linkOver(remote, this.#events, {
      bus: options.parent,
      identity: parent ?? { id: newId(), name: 'the starter' },
      onLost: (error) => this.#streamEnded(error),
    });
    controlTransport.open(
      (message) => endpoint.receive(message),
      () => undefined,
    );
    this.control = new ControlClient(this.link, controlPort(endpoint, controlTransport));
    this.#start = new HostStart(options, this.place.pid, (seconds) => this.#failStart(timeoutText(seconds)));
    this.ready = this.#start.ready;
    this.#child.on('error', (error) => {
      this.#error ??= error;
      this.#gone(-1);
    });
    this.#child.on('exit', (code, signal) => this.#gone(signal ?? code ?? 0));
    try {
      controlTransport.send(init, []);
    } catch (error) {
      this.#failStart(`its workerData can't be cloned: ${(error as Error).message}`, error);
    }
  }

  /** Once it has ended its number may be another's. */
  get pid(): number {
    return this.#code === undefined && !this.#ended ? (this.#child.pid ?? -1) : -1;
  }

  hello(bus: BusIdentity): void {
    this.keepAlive(false);
    this.#start.succeed(bus);
  }

  refuse(error: Error): void {
    this.#failStart(error.message, error);
  }

  keepAlive(needed: boolean): void {
    // The process too, not only its stream: the news of its death must arrive.
    if (this.#ended) return;
    for (const each of [this.#child, this.#events]) {
      if (needed) each.ref();
      else each.unref();
    }
  }

  get idleTime(): null {
    return null;
  }

  catchUp(then: () => void): void {
    // Timers come first in a turn, then what has arrived; a frame that was cut takes one turn more.
    setImmediate(() => setImmediate(then));
  }

  terminate(error: Error): void {
    if (this.#ended) return;
    this.#child.kill('SIGKILL');
    this.#end(error);
  }

  #failStart(what: string, cause?: unknown): void {
    if (this.#start.pending) this.terminate(startError(this.#plan.entry, what, cause));
  }

  #gone(code: number | NodeJS.Signals): void {
    if (this.#ended || this.#code !== undefined) return;
    this.#code = code;
    if (this.#drained) this.#exited(code);
    else this.#lastWords = startTimer(lastWords, () => this.#exited(code), true);
  }

  #streamEnded(error: Error): void {
    if (this.#ended) return;
    this.#unread ||= error instanceof FrameUnread;
    this.#drained = true;
    if (this.#code !== undefined) {
      this.#exited(this.#code);
      return;
    }
    // It may be about to end; if it isn't, nobody can talk to it any more.
    this.#lastWords = startTimer(
      lastWords,
      () => {
        this.#error ??= error;
        this.#child.kill('SIGKILL');
      },
      true,
    );
  }

  #exited(code: number | NodeJS.Signals): void {
    if (this.#ended) return;
    this.#lastWords?.cancel();
    const words = this.board.lastWords;
    if (words !== null) this.#error ??= decodeThrown(deserialize(words) as Parameters<typeof decodeThrown>[0]);
    const error = this.#error;
    if (this.#start.pending) {
      this.#end(startError(this.#plan.entry, unexposedText('process', code, error, this.#plan.entry), error));
      return;
    }
    this.#onEnd({ text: endText(code, error), error, unread: this.#unread });
  }

  #end(error: Error): void {
    this.#ended = true;
    this.#lastWords?.cancel();
    this.#start.fail(error);
    this.link.close();
    this.#events.close();
    this.control.fail(error);
    streamOf(this.#child, lifelineFd).destroy();
    this.board.close();
    tellLostLines(this.board.unwritten, this.#plan);
    this.#child.unref();
  }
}

function endText(code: number | NodeJS.Signals, error: unknown): string {
  if (isReadableError(error)) return `crashed: ${errorText(error)}`;
  if (typeof code === 'number') return `exited with code ${code}`;
  const why = code === 'SIGABRT' ? ' (out of memory, or abort(): see its standard error)' : '';
  return `was ended by ${code}${why}`;
}

/** @throws WorkerStartError with what the system says */
function openBoard(entry: URL): FileBoardReader {
  try {
    return new FileBoardReader();
  } catch (error) {
    throw startError(
      entry,
      `the file in which it says what it works on can't be made: ${(error as Error).message}`,
      error,
    );
  }
}

/** @throws WorkerStartError with what Node says of the options; the board is closed then */
function startProcess(entry: URL, options: ResolvedWorkerOptions, board: FileBoardReader): ChildProcess {
  const { execArgv, env, argv = [], resourceLimits, name } = options;
  const title = name === undefined ? [] : [`--title=${name}`];
  const nodeOptions = [...(execArgv ?? inheritedFlags()), ...limitFlags(resourceLimits), ...title];
  try {
    const args = [...nodeOptions, fileURLToPath(processEntry()), ...argv];
    const stdio: StdioOptions = ['ignore', options.stdout ? 'pipe' : 'inherit', options.stderr ? 'pipe' : 'inherit'];
    stdio[linkFd] = stdio[controlFd] = stdio[lifelineFd] = 'pipe';
    stdio[boardFd] = board.fd;
    const child = spawn(process.execPath, args, {
      stdio,
      windowsHide: true,
      ...(env !== undefined && { env: env as NodeJS.ProcessEnv }),
    });
    if (hasStreams(child)) return child;
    // Node tells the reason later, as an event that would end this process if nobody listened.
    child.on('error', () => undefined);
    throw new Error('EMFILE: too many open files, for its pipes');
  } catch (error) {
    board.close();
    throw isWorkerStartError(error) ? error : startError(entry, (error as Error).message, error);
  }
}

/** It gets none if the system has no descriptors left: Node makes no pipes then, whatever its types say. */
function hasStreams({ stdio }: { readonly stdio?: unknown }): boolean {
  return stdio !== undefined;
}

function streamOf(child: ChildProcess, fd: number): Socket {
  return child.stdio[fd] as Socket;
}

function controlPort(endpoint: StreamEndpoint, transport: Transport): ControlPort {
  return {
    endpoint,
    ref: () => transport.ref(),
    unref: () => transport.unref(),
    close: () => transport.close(),
  };
}
