import { type BaseEvent, HandlerTimeoutError, type StopOptions } from '@threadbus/core';
import { type BusIdentity, type EventConstructor, newId, startTimer, type Timer } from '@threadbus/core/internal';
import { BoardReader, type Holder } from './board.ts';
import type { ControlCalls } from './control.ts';
import { WorkerCrashedError } from './errors.ts';
import { addLinkedName, removeLinkedName } from './link-names.ts';
import type { ResolvedWorkerOptions } from './options.ts';
import { RemoteBus } from './remote-bus.ts';
import type { RemotePart } from './remote-part.ts';
import { type ReservedSuffix, reserveSuffix } from './reserved-names.ts';
import { RestartBudget } from './restart-budget.ts';
import { Watchdog, type Watched } from './watchdog.ts';
import { startThread, type ThreadEnd, type ThreadPlan, WorkerThread } from './worker-thread.ts';

/** How often an idempotent event is started again before it counts as the cause of the crashes. */
const maxAttempts = 3;

/**
 * Keeps a bus in a thread running.
 *
 *   starting ──hello──▶ up ──crash, kill──▶ restarting ──hello──▶ up …   ──too often, never──▶ failed
 *                        └──stop──▶ stopped
 *
 * Name, id, registrations and what waits belong to the remote bus, which outlives its threads. Each thread has a link
 * of its own; closing it is what drops late messages of the old one.
 */
export class Supervisor implements Watched {
  readonly remote: RemoteBus;
  readonly board: BoardReader = new BoardReader();
  readonly #entry: URL;
  readonly #options: ResolvedWorkerOptions;
  readonly #suffix: ReservedSuffix;
  readonly #identity: BusIdentity;
  readonly #watchdog: Watchdog;
  readonly #budget = new RestartBudget();
  readonly #attempts = new WeakMap<RemotePart, number>();
  #thread: WorkerThread | null = null;
  #hello: ((peer: BusIdentity) => void) | null = null;
  #helloFailed: ((error: Error) => void) | null = null;
  #restart: Timer | null = null;
  #state: 'starting' | 'up' | 'restarting' | 'failed' | 'stopped' = 'starting';
  #end: Error | null = null;

  private constructor(entry: URL, options: ResolvedWorkerOptions) {
    this.#entry = entry;
    this.#options = options;
    this.#suffix = reserveSuffix(entry.href);
    this.#identity = { id: newId(), name: entry.pathname.split('/').pop() ?? 'worker' };
    this.#watchdog = new Watchdog(this);
    this.remote = new RemoteBus(this.#identity, options.parent, options, {
      busy: (busy) => this.#busy(busy),
      hello: (peer) => this.#hello?.(peer),
      helloFailed: (error) => this.#helloFailed?.(error),
      pong: (token) => this.#watchdog.pong(token),
    });
    this.remote.outgoing.board = this.board;
  }

  static async start(entry: URL, options: ResolvedWorkerOptions): Promise<Supervisor> {
    const supervisor = new Supervisor(entry, options);
    try {
      await supervisor.#startThread(null);
      return supervisor;
    } catch (error) {
      supervisor.#close(error as Error);
      throw error;
    }
  }

  get threadId(): number {
    return this.#thread?.threadId ?? -1;
  }

  get unresponsiveTimeout(): number | null {
    return this.#options.unresponsiveTimeout;
  }

  /** Asks the thread something, behind all that was sent to it. */
  async ask<Method extends keyof ControlCalls>(
    method: Method,
    argument: Parameters<ControlCalls[Method]>[0] | undefined,
    signal?: AbortSignal,
  ): Promise<ReturnType<ControlCalls[Method]>> {
    if (this.#end !== null) throw this.#end;
    const thread = this.#thread;
    if (thread === null) throw this.#crashed('is being restarted', undefined);
    const answer = thread.control.call(method, argument);
    if (signal === undefined) return answer;
    return Promise.race([answer, aborted(signal)]);
  }

  async stop(options: StopOptions, limit: number | null, error: Error): Promise<void> {
    if (this.#end !== null) return;
    const thread = this.#thread;
    this.#state = 'stopped';
    this.#restart?.cancel();
    if (thread !== null) {
      thread.onEnd = () => this.#close(error);
      const stopped = thread.control.call('stop', options);
      try {
        await (limit === null ? stopped : Promise.race([stopped, after(limit)]));
      } finally {
        this.#close(error);
      }
    }
    this.#close(error);
  }

  ping(token: number): void {
    this.#thread?.link.sendPing(token);
  }

  isCancelled(slot: number): boolean {
    return this.remote.outgoing.isCancelled(slot);
  }

  blocked(holder: Holder, overrun: boolean): void {
    this.#replace(
      holder,
      overrun ? `blocked its thread past its time (${holder.timeout} s)` : 'blocked its thread after it was cancelled',
      undefined,
    );
  }

  unresponsive(): void {
    this.#replace(null, `did not answer for ${this.#options.unresponsiveTimeout} s`, undefined);
  }

  #busy(busy: boolean): void {
    this.#thread?.keepAlive(busy);
    if (busy && this.#state === 'up') this.#watchdog.start();
    else if (!busy) this.#watchdog.stop();
  }

  /** @param name null for the first thread, which brings the name along */
  async #startThread(name: string | null): Promise<void> {
    const { board } = this;
    const plan: ThreadPlan = {
      entry: this.#entry,
      id: this.#identity.id,
      name,
      suffix: this.#suffix.suffix,
      board,
      options: this.#options,
    };
    const hello = new Promise<BusIdentity>((resolve, reject) => {
      this.#hello = resolve;
      this.#helloFailed = reject;
    });
    const thread = new WorkerThread(plan, this.remote);
    this.#thread = thread;
    const peer = await startThread(thread, hello, plan);
    if (this.#end !== null) {
      thread.terminate();
      return;
    }
    if (name === null) {
      this.#identity.name = peer.name;
      const { parent } = this.#options;
      try {
        addLinkedName(this.#identity, parent);
      } catch (error) {
        thread.terminate();
        throw error;
      }
    }
    thread.onEnd = (end) => this.#ended(end);
    thread.link.onFrame.push(() => this.#watchdog.heard());
    this.#state = 'up';
    const busy = this.remote.outgoing.size > 0;
    this.remote.connect();
    if (busy) this.#busy(true);
  }

  #ended({ code, error }: ThreadEnd): void {
    const text = error instanceof Error ? `crashed: ${error.name}: ${error.message}` : `exited with code ${code}`;
    this.#replace(this.board.holder(), text, error, true);
  }

  /** The thread is gone, or has to go: settles what it had started, and starts another for the rest. */
  #replace(guilty: Holder | null, what: string, cause: unknown, dead = false): void {
    const thread = this.#thread;
    if (thread === null || this.#state === 'stopped') return;
    this.#thread = null;
    this.#state = 'restarting';
    this.#watchdog.stop();
    const error = this.#crashed(what, cause);
    const parts = this.remote.disconnect(error);
    const again: RemotePart[] = [];
    const lost: [RemotePart, Error][] = [];
    for (const part of parts) {
      const reason = this.#fate(part, guilty, error, dead);
      if (reason === null) again.push(part);
      else lost.push([part, reason]);
    }
    thread.terminate();
    thread.control.fail(error);
    this.remote.outgoing.resend(again);
    for (const [part, reason] of lost) this.remote.outgoing.close(part, () => part.fail(reason));
    this.#restartOrFail(error);
  }

  /** @returns the error with which the part ends, or null if it goes to the replacement */
  #fate(part: RemotePart, guilty: Holder | null, error: Error, dead: boolean): Error | null {
    const started = this.board.hasStarted(part.slot);
    const isGuilty = guilty !== null && guilty.slot === part.slot && guilty.own && !dead;
    this.board.release(part.slot);
    part.slot = -1;
    if (isGuilty) return this.#overrun(part.event, guilty);
    if (!started) return null;
    const attempts = (this.#attempts.get(part) ?? 0) + 1;
    this.#attempts.set(part, attempts);
    const { definition } = part.event.constructor as EventConstructor;
    return definition.idempotent && attempts < maxAttempts ? null : error;
  }

  #overrun(event: BaseEvent, { timeout }: Holder): HandlerTimeoutError {
    const { name: busName } = this.#identity;
    return new HandlerTimeoutError(
      `A handler of ${busName} for ${event.event_type}#${event.event_id.slice(-4)} timed out after ${timeout}s and blocked its thread, which was ended. Give the event more time (event_timeout), or let the handler do its work in pieces.`,
      { busName, eventType: event.event_type, eventId: event.event_id },
      timeout,
    );
  }

  #restartOrFail(error: WorkerCrashedError): void {
    const delay = this.#options.restart === 'never' ? null : this.#budget.next(Date.now());
    if (delay === null) {
      const why = this.#options.restart === 'never' ? '' : ` It was restarted ${RestartBudget.text}, which is enough.`;
      const failure = this.#crashed(`is out of service: ${error.message}${why}`, error);
      this.#state = 'failed';
      this.#close(failure);
      return;
    }
    this.#restart = startTimer(
      delay,
      () => {
        void this.#startAgain();
      },
      true,
    );
  }

  async #startAgain(): Promise<void> {
    try {
      await this.#startThread(this.#identity.name);
    } catch (failure) {
      this.#thread = null;
      if (this.#end === null) this.#restartOrFail(this.#crashed((failure as Error).message, failure));
    }
  }

  #crashed(what: string, cause: unknown): WorkerCrashedError {
    const { name: busName } = this.#identity;
    return new WorkerCrashedError(
      `The thread of ${busName} ${what}`,
      { busName },
      cause === undefined ? {} : { cause },
    );
  }

  #close(error: Error): void {
    if (this.#end !== null) return;
    this.#end = error;
    this.#watchdog.stop();
    this.#restart?.cancel();
    this.#thread?.terminate();
    this.#thread?.control.fail(error);
    this.#thread = null;
    removeLinkedName(this.#identity);
    this.#suffix[Symbol.dispose]();
    this.remote.fail(error);
  }
}

function after(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    startTimer(seconds, resolve, true);
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
