import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type BaseEvent, EventBus } from '@threadbus/core';
import { busEngine, type BusIdentity, type HandlerRun, newId, startTimer } from '@threadbus/core/internal';
import { LinkError, WorkerCrashedError } from './errors.ts';
import { defaultFlow } from './flow-limits.ts';
import type { PoolTask } from './pool-task.ts';
import { linkOverPort } from './port-link.ts';
import { outsideContexts } from './portable.ts';
import { callRemote } from './remote-call.ts';
import { RemoteBus } from './remote-bus.ts';

/** Seconds for a thread to answer that its handler was ended; then it is taken to be blocked, and killed. */
const grace = 0.2;

/** Runs a task in a pool thread; the signal kills the thread that runs it. */
export type RunTask = (task: PoolTask, transfer: readonly MessagePort[], kill: AbortSignal) => Promise<void>;

/** One handler run whose work is done in a pool thread. */
export class PoolCall {
  readonly run: HandlerRun;
  readonly #event: BaseEvent;
  readonly #entry: string;
  readonly #kill = new AbortController();
  #remote: RemoteBus | null = null;
  /** Whether the handler awaits an event, so that its thread has nothing to do. */
  awaiting = false;

  constructor(event: BaseEvent, run: HandlerRun, entry: string) {
    this.#event = event;
    this.run = run;
    this.#entry = entry;
  }

  /**
   * Has the work done; resolves to the handler's value once there is one.
   *
   * @param onAwaiting told when `awaiting` has changed
   * @param onFree told when the thread has nothing to do with the call any more
   */
  start(runTask: RunTask, onAwaiting: () => void, onFree: () => void): Promise<unknown> {
    const { bus } = this.run;
    if (!(bus instanceof EventBus)) {
      onFree();
      return Promise.reject(
        new LinkError(
          `A pool's handler must be registered on an EventBus of the pool's own thread; ${bus.name} is elsewhere.`,
        ),
      );
    }
    const { handlerName } = this.run.entry.source;
    const identity: BusIdentity = { id: newId(), name: `${handlerName}'s thread` };
    const remote = new RemoteBus(identity, bus, defaultFlow, {
      busy: () => undefined,
      hello: () => this.run.startClock(),
      suspended: (awaiting) => {
        this.awaiting = awaiting;
        onAwaiting();
      },
    });
    this.#remote = remote;
    const { port1, port2 } = outsideContexts(() => new MessageChannel());
    const { id, name } = busEngine(bus).identity;
    // The answer comes over the port, the end of the task beside it: only when both are over is nothing more to come.
    const portClosed = new Promise<void>((resolve) => {
      linkOverPort(remote, port1, { bus, identity: { id, name }, onClose: resolve });
    });
    remote.connect();
    const task: PoolTask = { port: port2, entry: this.#entry, bus: { id, name }, handlerName };
    this.run.signal.addEventListener('abort', () => this.#killIfBlocked(), { once: true });
    void this.#finish(runTask(task, [port2], this.#kill.signal), portClosed, handlerName).finally(onFree);
    const value = callRemote(remote.outgoing, 1, this.#event, this.run);
    // An event that can't be sent is answered for on this side: its thread would wait for it for ever.
    return value.finally(() => port1.close());
  }

  async #finish(task: Promise<void>, portClosed: Promise<void>, handlerName: string): Promise<void> {
    try {
      await task;
      portClosed.then(
        () => this.end(new WorkerCrashedError(`The pool thread of ${handlerName} ended without an answer.`)),
        () => undefined,
      );
    } catch (error) {
      this.end(crashError(handlerName, error));
    }
  }

  /** Nothing more will be heard of the thread: what it had not answered fails. */
  end(error: Error): void {
    this.#remote?.fail(error);
  }

  /** Ends the thread, whatever it does. */
  kill(): void {
    this.#kill.abort();
  }

  /** The handler was ended: asynchronous work has its signal, but a thread that doesn't answer is killed. */
  #killIfBlocked(): void {
    startTimer(
      grace,
      () => {
        if (this.#remote !== null && this.#remote.outgoing.size > 0) this.kill();
      },
      true,
    );
  }
}

function crashError(handlerName: string, error: unknown): WorkerCrashedError {
  const text = error instanceof Error ? error.message : String(error);
  return new WorkerCrashedError(
    `The pool thread of ${handlerName} crashed: ${text}`,
    { handlerName },
    { cause: error },
  );
}
