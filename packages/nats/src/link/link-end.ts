import { type BaseEvent, type EventBus, HandlerTimeoutError, type Subscription } from '@threadbus/core';
import { busEngine, type BusIdentity, type Limit, subscription } from '@threadbus/core/internal';
import { LinkError, LinkLostError, type LostOutcome } from '@threadbus/link';
import {
  addLinkedName,
  type FlowLimits,
  freeLinkedName,
  linkOver,
  outsideContexts,
  RemoteBus,
  type RemotePart,
  removeLinkedName,
  showNameAs,
} from '@threadbus/link/internal';
import type { Broker } from '../broker/broker.ts';
import { SessionTransport } from '../session/session-transport.ts';
import { Arrivals } from './arrivals.ts';
import { gatherTurns } from './gather-turns.ts';
import { type LinkStatus, Liveness } from './liveness.ts';
import type { NatsDatagrams } from './nats-datagrams.ts';
import { Questions } from './questions.ts';
import { Room } from './room.ts';
import { SentBoard } from './sent-board.ts';
import { weightOf } from './weight.ts';

/** Bytes on the way at most, below the 64 MiB after which a server drops a slow reader, even for several links. */
const sessionWindow = 4 << 20;

export interface LinkEndLimits extends FlowLimits {
  readonly maxPendingBytes: number;
  readonly maxEventBytes: number;
  readonly unresponsiveTimeout: Limit;
}

export interface LinkEndPlan {
  readonly broker: Broker;
  /** At this end. */
  readonly bus: EventBus;
  /** At the other end, as it is called there. */
  readonly peer: Readonly<BusIdentity>;
  readonly datagrams: NatsDatagrams;
  readonly limits: LinkEndLimits;
}

const clock = (): number => performance.now();

/**
 * One end of a link between two processes.
 *
 *   opening ──hello──▶ up ◀──silence──▶ suspect
 *      └────────────────┴─── close() ───────▶ closed   (LinkError for what waits here)
 *                       └─── silence, goodbye, broken session, broker closed ──▶ lost   (LinkLostError, with what is known)
 *
 * Lost and closed are final. Both ends use the same `unresponsiveTimeout`, so that both give up.
 */
export class LinkEnd {
  readonly remote: RemoteBus;
  readonly questions: Questions;
  /** When the other end has introduced itself. */
  readonly ready: Promise<void>;
  /** Why it is over: the LinkLostError, or null if it was closed here. */
  readonly closed: Promise<Error | null>;
  readonly #plan: LinkEndPlan;
  /** At the other end, under the name that it has here. */
  readonly #peer: BusIdentity;
  readonly #transport: SessionTransport;
  readonly #liveness: Liveness;
  readonly #board = new SentBoard(clock);
  readonly #arrivals: Arrivals;
  readonly #room: Room;
  readonly #keepAlive: (needed: boolean) => void;
  readonly #onStatus = new Set<(status: LinkStatus) => void>();
  readonly #ends: (() => void)[] = [];
  #settleReady: { resolve: () => void; reject: (error: Error) => void } | null = null;
  #settleClosed: (error: Error | null) => void = () => undefined;
  #status: LinkStatus = 'up';
  #isOver = false;
  /** Events are under way there from here. */
  #isSending = false;

  constructor(plan: LinkEndPlan) {
    const { broker, bus, limits } = plan;
    const own = busEngine(bus).identity;
    const peer = { id: plan.peer.id, name: freeLinkedName(plan.peer, own) };
    this.#plan = plan;
    this.#peer = peer;
    this.#keepAlive = broker.keepAlive.holder();
    addLinkedName(peer, own);
    if (peer.name !== plan.peer.name) this.#ends.push(showNameAs(peer.id, peer.name));
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined);
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.#liveness = new Liveness(limits.unresponsiveTimeout, clock);
    const options = { window: sessionWindow, maxFrame: limits.maxEventBytes, clock };
    this.#transport = new SessionTransport(
      plan.datagrams,
      options,
      {
        note: (note) => this.#note(note),
        goodbye: (reason) => this.#lose(`said goodbye: ${reason}`, false),
        heard: () => this.#heard(),
        acknowledged: () => this.#room.look(),
      },
      () => undefined,
    );
    this.questions = new Questions(bus, (note) => this.#sendNote(note));
    this.#arrivals = new Arrivals(bus, (numbers) => this.#transport.sendNote({ started: numbers }));
    this.remote = new RemoteBus(peer, bus, limits, {
      busy: (busy) => this.#keepUp(busy),
      hello: () => {
        this.#settleReady?.resolve();
        this.#settleReady = null;
      },
      arrived: (arrival) => this.#arrivals.add(arrival),
      checkRoom: (event) => this.#room.check(event),
      waitForRoom: (signal) => this.#room.wait(signal),
    });
    this.remote.outgoing.board = this.#board;
    this.remote.outgoing.weigh = weightOf;
    this.#room = new Room(limits.maxPendingBytes, peer.name, () => this.#pendingBytes);
  }

  /** Begins. The other end must be there, or come soon. */
  open(): void {
    const { broker, bus } = this.#plan;
    const onLost = (error: Error): void => this.#lose(`is lost: ${error.message.replace(/\.$/, '')}`, true, error);
    const link = linkOver(this.remote, this.#transport, {
      bus,
      identity: busEngine(bus).identity,
      connected: true,
      onLost,
    });
    gatherTurns(link);
    if (this.#isOver) return;
    outsideContexts(() => {
      const timer = setInterval(() => this.#tick(), this.#liveness.beat).unref();
      this.#ends.push(() => clearInterval(timer));
    });
    this.#ends.push(
      bus.observe({ stopped: () => void this.close(`${bus.name} was stopped`) }),
      broker.watch({ closed: () => this.#lose('is out of reach: the connection to NATS was closed', true) }),
    );
  }

  get status(): LinkStatus {
    return this.#status;
  }

  onStatus(listener: (status: LinkStatus) => void): Subscription {
    // A function of its own: one that is given twice is told twice.
    const tell = (status: LinkStatus): void => listener(status);
    this.#onStatus.add(tell);
    return subscription(() => this.#onStatus.delete(tell));
  }

  /** The process stays up while something is under way; to be told when a question begins or ends. */
  keepUp(): void {
    this.#keepUp(this.#isSending);
  }

  /** Ends this link: what was sent still arrives, what waits here ends with a LinkError. @returns when the other end knows */
  async close(reason: string): Promise<void> {
    if (this.#isOver) return;
    const error = new LinkError(`The link to ${this.remote.name} was closed here.`, { busName: this.remote.name });
    this.#over('lost');
    this.remote.link?.outbox.flush();
    this.remote.close(error);
    this.#ended(error, null);
    const left = this.#transport.leave(reason);
    const timer = setInterval(() => this.#transport.session.tick(), this.#liveness.beat / 2);
    await this.#plan.broker.keepAlive.during(() => left);
    clearInterval(timer);
  }

  /** Says what may never arrive, if the process ends now. */
  warnOfLoss(): void {
    const { name, outgoing } = this.remote;
    if (this.#isOver || outgoing.size + this.#pendingBytes === 0) return;
    busEngine(this.#plan.bus).options.logger.warn(
      `This process exits with ${outgoing.size} events for ${name} under way: they may never arrive. Await them, or net.close(), before process.exit().`,
    );
  }

  #heard(): boolean {
    if (!this.#liveness.heard()) {
      this.#expire();
      return false;
    }
    if (this.#status === 'suspect') this.#setStatus('up');
    return true;
  }

  #tick(): void {
    const verdict = this.#liveness.tick();
    if (verdict === 'expired') {
      this.#expire();
      return;
    }
    this.#transport.session.tick();
    if (verdict === 'lost') {
      this.#lose(`is unreachable: nothing was heard of it for ${this.#plan.limits.unresponsiveTimeout} s`, true);
      return;
    }
    if (verdict !== this.#status) this.#setStatus(verdict);
    if (verdict === 'suspect') this.#endOverdue();
    this.#room.look();
  }

  /** This end didn't run for so long that the other one has given it up: what it hasn't started, it must not start. */
  #expire(): void {
    const { unresponsiveTimeout } = this.#plan.limits;
    this.#lose(`is unreachable: this process did not run for ${unresponsiveTimeout} s or longer`, true);
  }

  /**
   * While nothing is heard, nobody over there ends what takes too long: this side does, once an event's time is over
   * and the other end had the chance to say so. Its number stays taken until the other end answers for it.
   */
  #endOverdue(): void {
    for (const [number, age] of this.#board.ages()) {
      const part = this.remote.outgoing.sentAs(number);
      if (part === undefined || part.state !== 'sent') continue;
      const { event } = part;
      const { event_timeout: timeout } = event;
      if (timeout === null || age < timeout * 1000) continue;
      const error = new HandlerTimeoutError(
        `${this.remote.name} did not complete ${event.event_type}#${event.event_id.slice(-4)} within ${timeout} s, and has not been heard of for ${Math.round(this.#liveness.silence / 100) / 10} s.`,
        { ...this.#place(event), handlerName: 'dispatch' },
        timeout,
      );
      part.cancel(error);
      part.fail(error);
    }
  }

  #note(note: unknown): void {
    if (typeof note !== 'object' || note === null) return;
    if ('started' in note && Array.isArray(note.started)) {
      for (const number of note.started as unknown[]) if (Number.isInteger(number)) this.#board.start(number as number);
    } else this.questions.read(note);
  }

  #sendNote(note: unknown): void {
    this.remote.link?.outbox.flush();
    this.#transport.sendNote(note);
  }

  /** @param drop what came from there and hasn't started is not to start any more */
  #lose(what: string, drop: boolean, cause?: Error): void {
    if (this.#isOver) return;
    this.#over('lost');
    const { remote } = this;
    const text = `${remote.name} ${what}.`;
    const options = cause === undefined ? undefined : { cause };
    const lost = (outcome: LostOutcome | null, event?: BaseEvent): LinkLostError =>
      new LinkLostError(
        event === undefined ? text : `${text} ${outcomeText(event, outcome)}`,
        { bus: remote.name, event },
        outcome,
        options,
      );
    const general = lost('unsent');
    // What is dispatched from now on is refused; a wait for an event of the other side has no outcome.
    remote.refuse(general);
    const none = lost(null);
    const sent = remote.disconnect(none);
    const waiting = remote.outgoing.takeWaiting();
    for (const part of sent)
      this.#failPart(part, lost(this.#board.hasStarted(part.number) ? 'started' : 'unknown', part.event));
    for (const part of waiting) this.#failPart(part, lost('unsent', part.event));
    remote.fail(none);
    if (drop) this.#arrivals.drop(general);
    this.#transport.session.abort();
    this.#ended(general, general);
  }

  #failPart(part: RemotePart, error: Error): void {
    if (part.state === 'done') this.remote.outgoing.close(part);
    else this.remote.outgoing.fail(part, error);
  }

  #over(status: LinkStatus): void {
    this.#isOver = true;
    for (const end of this.#ends) end();
    removeLinkedName(this.#peer);
    this.#setStatus(status);
  }

  #ended(error: Error, reason: Error | null): void {
    this.#arrivals.close();
    this.#room.refuse(error);
    this.questions.fail(error);
    this.#settleReady?.reject(error);
    this.#settleReady = null;
    this.#keepAlive(false);
    this.#settleClosed(reason);
  }

  #setStatus(status: LinkStatus): void {
    this.#status = status;
    const { logger } = busEngine(this.#plan.bus).options;
    for (const tell of [...this.#onStatus]) {
      try {
        tell(status);
      } catch (error) {
        logger.error(`A listener of onStatus threw: ${error instanceof Error ? error.stack : String(error)}`);
      }
    }
  }

  #keepUp(isSending: boolean): void {
    this.#isSending = isSending;
    this.#keepAlive(!this.#isOver && (isSending || this.questions.size > 0));
  }

  get #pendingBytes(): number {
    const { outgoing, link } = this.remote;
    return outgoing.waitingBytes + (link?.outbox.size ?? 0) + this.#transport.pendingBytes;
  }

  #place({ event_type, event_id }: BaseEvent): { busName: string; eventType: string; eventId: string } {
    return { busName: this.remote.name, eventType: event_type, eventId: event_id };
  }
}

function outcomeText({ event_type, event_id }: BaseEvent, outcome: LostOutcome | null): string {
  const which = `${event_type}#${event_id.slice(-4)}`;
  if (outcome === 'unsent') return `${which} was not sent.`;
  return outcome === 'started' ? `${which} had started there.` : `${which} was sent; whether it ran is not known.`;
}
