import { busEngine, BusStoppedError, loggerOf, newId, startTimer } from '@threadbus/core/internal';
import type { BusIdentity, Timer } from '@threadbus/core/internal';
import { addLinkedName, AnswerClock, outsideContexts, RemoteBus, removeLinkedName } from '@threadbus/link/internal';
import type { BoardReader, Holder } from './board.ts';
import { BusMeter, type WorkerBusStats } from './bus-meter.ts';
import type { BusHost, StartHost } from './bus-host.ts';
import { KeptOutput } from './kept-output.ts';
import { WorkerCrashedError } from '../errors.ts';
import type { ResolvedWorkerOptions } from '../options.ts';
import { type ReservedSuffix, reserveSuffix } from './reserved-names.ts';
import { type EndOfLife, RestartBudget } from './restart-budget.ts';
import { startError } from './start-failure.ts';
import { StateChanges } from './state-changes.ts';
import { monotonic } from './monotonic.ts';
import { blockedText, LossSorter, lossText } from './thread-loss.ts';
import { sayStuckAt, stuckAt, type WhereIs, whereIs } from './stuck-at.ts';
import { DebugWatch } from './debugged.ts';
import type { TimeHistogram } from './time-histogram.ts';
import { type ThreadEnd, threadEnded, threadStarted } from './thread-observers.ts';
import { MuteWatch } from './mute-watch.ts';
import { Watchdog, type Watched } from './watchdog.ts';
import { answerGrace, type ControlHost, TimeLimit, WorkerControl } from './worker-control.ts';
import { SharedBoardReader } from './shared-board.ts';

/**
 * Keeps a bus in a thread running.
 *
 *   starting ──hello──▶ up ──crash, kill──▶ starting ──hello──▶ up …   ──too often, never──▶ closed (failed)
 *                        └──stop──▶ stopping ──▶ closed
 *
 * Name, id, registrations and what waits belong to the remote bus, which outlives its threads. Each thread has a link
 * and a board of its own; closing its link is what drops late messages of the old one.
 */
export class Supervisor implements Watched, ControlHost {
  readonly remote: RemoteBus;
  readonly control: WorkerControl = new WorkerControl(this);
  /** Of all its threads. */
  readonly output: KeptOutput;
  /** Of the present thread. */
  board: BoardReader = new SharedBoardReader();
  readonly #entry: URL;
  readonly #startHost: StartHost;
  readonly #options: ResolvedWorkerOptions;
  readonly #suffix: ReservedSuffix;
  readonly #identity: BusIdentity;
  readonly #watchdog: Watchdog = new Watchdog(this);
  /** Ends what nobody answers for any more: the watchdog knows of what has started, and of silence that it is told to mind. */
  readonly #clock: AnswerClock;
  readonly #budget: RestartBudget | null;
  readonly #losses: LossSorter;
  readonly #debugging: DebugWatch;
  readonly #meter = new BusMeter();
  readonly #changes = new StateChanges();
  #state: 'starting' | 'up' | 'stopping' | 'closed' = 'starting';
  #thread: BusHost | null = null;
  /** It is being asked where it is, to be ended then. */
  #looking: BusHost | null = null;
  #restart: Timer | null = null;
  /** Tells those who watch threads how the present one has ended; null until it is up. */
  #tellEnd: ReturnType<typeof threadStarted> | null = null;
  /** Calls that the thread hasn't answered. */
  #asking = 0;
  /** Why it is closed, or stopping. */
  #end: Error | null = null;

  private constructor(entry: URL, options: ResolvedWorkerOptions, startHost: StartHost) {
    this.#entry = entry;
    this.#startHost = startHost;
    this.#options = options;
    this.output = new KeptOutput(options);
    this.#budget = options.restart === null ? null : new RestartBudget(options.restart);
    this.#suffix = reserveSuffix(entry.href);
    this.#identity = { id: newId(), name: entry.pathname.split('/').pop() ?? 'worker' };
    this.#losses = new LossSorter(this.#identity);
    this.#debugging = new DebugWatch(options);
    this.remote = new RemoteBus(this.#identity, options.parent, options, {
      busy: (busy) => this.#busy(busy),
      hello: (peer) => this.#thread?.hello(peer),
      pong: (token) => this.#watchdog.pong(token),
      working: () => this.#watch(),
    });
    this.remote.outgoing.meter = this.#meter;
    const mute = new MuteWatch(
      () => this.#thread,
      (...silence) => this.unresponsive(...silence),
    );
    this.#clock = new AnswerClock(this.remote.outgoing, () => (this.#debugging.holds ? null : this.remote.link), mute);
  }

  static async start(entry: URL, options: ResolvedWorkerOptions, startHost: StartHost): Promise<Supervisor> {
    const supervisor = new Supervisor(entry, options, startHost);
    try {
      await supervisor.#startThread(null);
      return supervisor;
    } catch (error) {
      threadEnded({ ...supervisor.#place, threadId: -1, pid: -1, reason: 'crashed', lost: 0, again: false });
      supervisor.#close(error as Error);
      throw error;
    }
  }

  get threadId(): number {
    return this.#thread?.place.threadId ?? -1;
  }

  get pid(): number {
    return this.#thread?.pid ?? -1;
  }

  get stats(): WorkerBusStats {
    return this.#meter.stats(this.remote.outgoing);
  }

  /** Of all events that have come back. */
  get roundTrip(): TimeHistogram {
    return this.#meter.roundTrip;
  }

  get unresponsiveTimeout(): number | null {
    return this.#options.unresponsiveTimeout;
  }

  get expectsNews(): boolean {
    // Nobody waits any more for what was sent and given up, but it may block the thread.
    return this.#asking > 0 || this.busy || this.remote.outgoing.sent > 0;
  }

  get isOver(): boolean {
    return this.#end !== null;
  }

  get busy(): boolean {
    return this.remote.outgoing.size > 0;
  }

  async thread(signal: AbortSignal | undefined): Promise<BusHost> {
    while (this.#state === 'starting') await this.#changes.next(signal);
    if (this.#end !== null || this.#thread === null) throw this.#end ?? this.#crashed('is gone', undefined);
    return this.#thread;
  }

  asking(change: 1 | -1): void {
    this.#asking += change;
    if (change === 1) this.#watch();
  }

  /** Waits until the bus is idle, but not longer than that, then ends everything. */
  async stop(timeout: number | null, clear: boolean): Promise<void> {
    if (timeout !== 0) await this.control.drain(timeout);
    const thread = this.#thread;
    if (this.#state === 'closed' || this.#state === 'stopping') {
      while (this.#state === 'stopping') await this.#changes.next();
      return;
    }
    const error = new BusStoppedError(`${this.#identity.name} was stopped. Start another with WorkerBus.start(url).`, {
      busName: this.#identity.name,
    });
    this.remote.refuse(error);
    if (thread !== null && this.#state === 'up') {
      this.#state = 'stopping';
      this.#end = error;
      const limit = new TimeLimit(answerGrace);
      // It may be blocked, or end in the middle: its events are settled here all the same.
      await thread.control.call('stop', { timeout: 0, clear }, limit.signal).catch(() => undefined);
      limit.cancel();
    }
    this.#close(error);
  }

  ping(token: number): void {
    this.#thread?.link.sendPing(token);
  }

  catchUp(then: () => void): void {
    this.#thread?.catchUp(then);
  }

  isCancelled(slot: number): boolean {
    return this.remote.outgoing.isCancelled(slot);
  }

  get #place(): Pick<ThreadEnd, 'owner' | 'name'> {
    return { owner: 'WorkerBus', name: this.#identity.name };
  }

  blocked(holder: Holder, overrun: boolean, still: () => boolean): void {
    void this.#endStuck('blocked', holder, blockedText(holder, overrun), still);
  }

  unresponsive(still: () => boolean, what = `did not answer for ${this.unresponsiveTimeout} s, and was ended`): void {
    void this.#endStuck('unresponsive', null, what, still);
  }

  /** What busy threads are doing. */
  async whereIs(): Promise<readonly WhereIs[]> {
    const { threadId } = this;
    const where = threadId > 0 && this.board.holder() !== null ? await whereIs(threadId) : null;
    return where === null ? [] : [where];
  }

  /** Ends the thread, once it has been asked where it is; not at all beside a debugger, at whose breakpoint it may stand. */
  async #endStuck(
    reason: ThreadEnd['reason'],
    guilty: Holder | null,
    what: string,
    still: () => boolean,
  ): Promise<void> {
    const thread = this.#thread;
    if (thread === null || this.#looking === thread) return;
    this.#looking = thread;
    const isHeld = await this.#debugging.look(thread.pid);
    const at = thread.place.threadId > 0 && !isHeld ? await stuckAt(thread.place.threadId) : null;
    if (this.#looking === thread) this.#looking = null;
    if (this.#thread === thread && !isHeld && still()) this.#replace(reason, guilty, what, undefined, at);
  }

  #busy(busy: boolean): void {
    this.#thread?.keepAlive(busy);
    if (!busy) return;
    this.#clock.start();
    this.#watch();
  }

  #watch(): void {
    if (this.#state === 'up') this.#watchdog.start();
  }

  /** @param name null for the first thread, which brings the name along */
  async #startThread(name: string | null): Promise<void> {
    const plan = {
      entry: this.#entry,
      id: this.#identity.id,
      name,
      suffix: this.#suffix.suffix,
      options: this.#options,
      output: this.output,
    };
    const thread = this.#startHost(plan, this.remote, ({ text, error, unread }) =>
      this.#replace('crashed', null, text, error, null, unread),
    );
    this.#thread = thread;
    this.board = thread.board;
    this.remote.outgoing.board = thread.board;
    this.#meter.useful = false;
    const peer = await thread.ready;
    if (name === null) this.#takeName(peer.name);
    thread.link.onFrame.push(() => this.#watchdog.heard());
    this.#state = 'up';
    const { place, control } = thread;
    this.#tellEnd = threadStarted({ ...this.#place, ...place }, (guest) => control.tell('load', guest));
    this.#changes.changed();
    this.remote.connect();
    if (this.busy) this.#busy(true);
  }

  /** @throws WorkerStartError if another linked bus has the name */
  #takeName(name: string): void {
    this.#identity.name = name;
    try {
      const { parent } = this.#options;
      addLinkedName(this.#identity, parent === null ? null : busEngine(parent).identity);
    } catch (error) {
      throw startError(this.#entry, (error as Error).message, error);
    }
  }

  /** The thread is gone, or has to go: settles what it had started, and starts another for the rest. */
  #replace(
    reason: ThreadEnd['reason'],
    guilty: Holder | null,
    what: string,
    cause: unknown,
    at: WorkerCrashedError['stuckAt'] = null,
    unread = false,
  ): void {
    const thread = this.#thread;
    if (thread === null || this.#state === 'closed') return;
    const error = sayStuckAt(this.#crashed(what, cause), at);
    const { board } = this;
    const tellEnd = this.#tellEnd;
    this.#tellEnd = null;
    this.#thread = null;
    this.#watchdog.stop();
    const parts = this.remote.disconnect(error);
    thread.terminate(error);
    const fates = this.#losses.sort(parts, { error, guilty, board, stuckAt: at, place: thread.place });
    loggerOf(this.#options.parent).error(lossText(error, fates, board.born));
    this.remote.outgoing.resend(fates.again, unread);
    for (const { part, error: why, run } of fates.lost) this.remote.outgoing.fail(part, why, run);
    const lost = fates.lost.length + board.born;
    if (this.#state === 'stopping' && this.#end !== null) {
      tellEnd?.({ reason, lost, again: false });
      this.#close(this.#end);
      return;
    }
    this.#state = 'starting';
    this.#restartOrFail(error, { crashed: guilty === null, useful: this.#meter.useful });
    tellEnd?.({ reason, lost, again: this.#end === null });
  }

  #restartOrFail(error: WorkerCrashedError, end: EndOfLife): void {
    const delay = this.#budget?.next(end, monotonic() * 1000) ?? null;
    if (delay === null) {
      const why =
        this.#budget === null ? "it isn't restarted (restart: 'never')" : `it was restarted ${this.#budget.text}`;
      this.#close(this.#crashed(`is out of service, because ${why}. Last: ${error.message}`, error));
      return;
    }
    this.#meter.restarts += 1;
    this.#restart = outsideContexts(() => startTimer(delay, () => void this.#startAgain(), true));
  }

  async #startAgain(): Promise<void> {
    try {
      await this.#startThread(this.#identity.name);
    } catch (failure) {
      this.#thread = null;
      if (this.#end !== null) return;
      this.#restartOrFail(this.#crashed((failure as Error).message, failure), { crashed: true, useful: false });
      threadEnded({ ...this.#place, threadId: -1, pid: -1, reason: 'crashed', lost: 0, again: this.#end === null });
    }
  }

  #crashed(what: string, cause: unknown): WorkerCrashedError {
    const { name: busName } = this.#identity;
    const options = cause === undefined ? {} : { cause };
    return new WorkerCrashedError(`The ${this.#options.isolation} of ${busName} ${what}`, { busName }, options);
  }

  #close(error: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#end = error;
    this.#watchdog.stop();
    this.#clock.stop();
    this.#restart?.cancel();
    this.#thread?.terminate(error);
    this.#thread = null;
    this.#tellEnd?.({ reason: 'stopped', lost: 0, again: false });
    this.#tellEnd = null;
    removeLinkedName(this.#identity);
    this.#suffix[Symbol.dispose]();
    this.output.close();
    this.remote.fail(error);
    this.#changes.changed();
  }
}
