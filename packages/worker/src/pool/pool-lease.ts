import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { EventBus } from '@threadbus/core';
import { busEngine, newId, startTimer } from '@threadbus/core/internal';
import { callRemote, defaultFlow, type Link, outsideContexts, RemoteBus, type Target } from '@threadbus/link/internal';
import { WorkerCrashedError } from '../errors.ts';
import type { PoolCall } from './pool-call.ts';
import { lineSender, type NewHandler, type NewLine, readLine } from './pool-port.ts';
import type { PoolTask } from './pool-task.ts';

/** Seconds that a lease waits for the next call. A lease keeps the process alive: no longer than a gap between calls. */
const linger = 0.01;
/** Seconds that a thread which is given back counts as busy; normally it answers at once. */
const grace = 0.2;
/** A lease that has served so many buses or modules ends, so that those of the past are forgotten. */
const worn = 64;

/** Runs a task in a pool thread; the signal kills the thread that runs it. */
export type RunTask = (task: PoolTask, transfer: readonly MessagePort[], kill: AbortSignal) => Promise<void>;

/** What a lease needs of its pool. */
export interface LeaseHost {
  readonly runTask: RunTask;
  /** Seconds after which a thread that is given back and doesn't react is killed, as an idle one would be ended. */
  readonly patience: number;
  /** It can take a call. */
  idle(lease: PoolLease): void;
  /** It takes no more calls. */
  ended(lease: PoolLease): void;
  /** Its thread has crashed while it had no call. */
  crashedIdle(error: unknown): void;
  /** Its thread is not there for it any more. */
  over(lease: PoolLease): void;
  /** There may be room for other calls. */
  changed(): void;
}

/**
 * A pool thread for as long as there are calls for it: one task of the pool, one port, one link for each bus that calls.
 *
 * It has one call at a time, from the moment it is given until its answer is read here or its thread is gone. That, and
 * the order of the port, settles the hard cases:
 * - *The thread dies before it has taken the call*, by what an earlier handler has left there: it says WORKING before it
 *   calls a handler, and what it has said is read before its end is acted upon. Without WORKING the call can be given to
 *   another thread. With it the call fails, with the answer it is answered, though the thread is gone.
 * - *It dies between two calls*: nobody fails, the crash is logged, the lease is over.
 * - *A kill for a call that has just been answered*: reading the answer takes the kill back. If the answer comes later
 *   than the kill, the thread is gone, but nothing was given to it meanwhile.
 * - *It ends while a call is being given to it*: this side alone ends it, in one step with taking it off the idle ones.
 * - *An earlier handler goes on after its answer*, because it was ended and doesn't care: its awaits aren't those of
 *   a handler any more, and events that it dispatches have their own numbers and their own bus's link.
 * - *Something left behind blocks the thread*: a call's time doesn't start before WORKING; and a thread that isn't given
 *   back when asked for is killed in the end, for a lease keeps the process alive.
 */
export class PoolLease {
  /** The thread has died: what it had not taken can be given to another. */
  crashed = false;
  readonly #host: LeaseHost;
  readonly #port: MessagePort;
  readonly #kill = new AbortController();
  readonly #remotes = new Map<EventBus, RemoteBus>();
  readonly #links: Link[] = [];
  readonly #targets = new Map<string, Target>();
  #state: 'open' | 'ending' | 'over' = 'open';
  #call: PoolCall | null = null;
  #idleSince = 0;
  #lingering = false;
  /** It is ending for so long that others don't wait for its thread. */
  #overdue = false;

  constructor(host: LeaseHost) {
    this.#host = host;
    const { port1, port2 } = outsideContexts(() => new MessageChannel());
    this.#port = port1;
    // Node would call listeners in the context of whoever made the port.
    outsideContexts(() => port1.on('message', (frame: unknown[]) => readLine(this.#links, frame)));
    void this.#serve(host.runTask({ port: port2 }, [port2], this.#kill.signal));
  }

  /** It has a call. */
  get taken(): boolean {
    return this.#call !== null;
  }

  /** It needs one of the places of the pool. */
  get busy(): boolean {
    if (this.#call !== null) return !this.#call.awaiting;
    return this.#state === 'ending' && !this.#overdue;
  }

  /** Has the call's work done; resolves to the handler's value once there is one. Only for a lease that is idle, or new. */
  async run(call: PoolCall): Promise<unknown> {
    this.#call = call;
    const unwatch = call.watch(() => this.#kill.abort());
    try {
      const { outgoing } = this.#remoteOf(call.bus);
      return await callRemote(outgoing, this.#targetOf(call), call.event, call.run);
    } finally {
      unwatch();
      call.awaiting = false;
      this.#call = null;
      if (this.#state === 'open') this.#rest();
      this.#host.changed();
    }
  }

  /** Ends the thread, whatever it does; its call fails with the error. */
  stop(error: Error): void {
    this.#over(error);
    this.#kill.abort();
  }

  async #serve(task: Promise<void>): Promise<void> {
    let cause: unknown;
    try {
      await task;
    } catch (error) {
      cause = error;
    }
    if (this.#state === 'over') return;
    if (this.#state === 'open') {
      this.crashed = true;
      for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
        readLine(this.#links, next.message as unknown[]);
      }
    }
    if (this.#call === null && cause !== undefined && !this.#kill.signal.aborted) this.#host.crashedIdle(cause);
    this.#over(crashError(this.#call?.handlerName ?? 'a handler', cause));
  }

  #over(error: Error): void {
    if (this.#state === 'open') this.#host.ended(this);
    this.#state = 'over';
    for (const remote of this.#remotes.values()) remote.fail(error);
    this.#port.close();
    this.#host.over(this);
    this.#host.changed();
  }

  #rest(): void {
    if (this.#remotes.size >= worn || this.#targets.size >= worn) {
      this.#end();
      return;
    }
    this.#idleSince = performance.now();
    this.#host.idle(this);
    if (!this.#lingering) this.#linger(linger);
  }

  /** One timer for many calls: it looks whether the lease has been idle all the time. */
  #linger(seconds: number): void {
    this.#lingering = true;
    const look = (): void => {
      this.#lingering = false;
      if (this.#call !== null || this.#state !== 'open') return;
      const left = linger - (performance.now() - this.#idleSince) / 1000;
      if (left > 0) this.#linger(left);
      else this.#end();
    };
    startTimer(seconds, look, false);
  }

  /** Gives the thread back. */
  #end(): void {
    this.#state = 'ending';
    this.#host.ended(this);
    for (const remote of this.#remotes.values()) remote.fail(new WorkerCrashedError('The pool thread was given back.'));
    this.#port.close();
    const late = (): void => {
      this.#overdue = true;
      this.#host.changed();
    };
    startTimer(grace, () => this.#state === 'ending' && late(), false);
    startTimer(this.#host.patience, () => this.#state === 'ending' && this.#kill.abort(), false);
  }

  /** The thread, as what it is to that bus. */
  #remoteOf(bus: EventBus): RemoteBus {
    const known = this.#remotes.get(bus);
    if (known !== undefined) return known;
    const line = this.#links.length;
    const { id, name } = busEngine(bus).identity;
    const remote = new RemoteBus({ id: newId(), name: 'a pool thread' }, bus, defaultFlow, {
      busy: () => undefined,
      working: () => this.#call?.take(),
      suspended: (awaiting) => {
        if (this.#call !== null) this.#call.awaiting = awaiting;
        this.#host.changed();
      },
    });
    this.#remotes.set(bus, remote);
    outsideContexts(() => {
      const link = remote.createLink(lineSender(this.#port, line), bus);
      this.#links.push(link);
      this.#tell({ line, bus: { id, name } });
      link.open({ id, name });
      remote.connect();
    });
    return remote;
  }

  /** Under which number the thread knows the call's handler; other numbers are of what handlers there register. */
  #targetOf({ entry, handlerName }: PoolCall): Target {
    let target = this.#targets.get(entry);
    if (target === undefined) {
      target = { number: -1 - this.#targets.size };
      this.#targets.set(entry, target);
      this.#tell({ target: target.number, entry, handlerName });
    }
    return target;
  }

  #tell(message: NewLine | NewHandler): void {
    this.#port.postMessage(message);
  }
}

function crashError(handlerName: string, error: unknown): WorkerCrashedError {
  const text = error instanceof Error ? error.message : 'it ended without an answer';
  return new WorkerCrashedError(
    `The pool thread of ${handlerName} crashed: ${text}`,
    { handlerName },
    { cause: error },
  );
}
