import type { RunningBus } from '@threadbus/core';
import {
  type ActiveHandler,
  AwaitCycleError,
  BaseEvent,
  chaseOn,
  isAwaitCycleError,
  type Lifecycle,
  lifecycleOf,
  liveHandler,
  waitFor,
} from '@threadbus/core/internal';
import type { Field } from '../incoming/link-server.ts';
import { emptyPart } from '../wire/empty-part.ts';
import * as op from '../wire/protocol.ts';
import type { SendOperation } from './remote-subscriptions.ts';

/** One handler's wait; the event stands for all that is under way on the bus over there. */
interface Waiting {
  readonly lifecycle: Lifecycle;
  idle: boolean;
  failure: Error | null;
}

/** Handlers of this side that wait until the bus at the other end is idle. */
export class RemoteIdle {
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #send: SendOperation | null = null;

  connect(send: SendOperation): void {
    this.#send = send;
  }

  /** The link is down. */
  disconnect(error: Error): void {
    this.#send = null;
    for (const id of this.#waiting.keys()) this.#end(id, false, error);
  }

  /**
   * Waits, as an await of the handler that calls, for all that is under way on the bus over there.
   *
   * @returns whether the bus is idle then; false if the time was up first
   * @throws AwaitCycleError if part of it needs the handler's event; the link's failure; the signal's reason
   */
  async round(bus: RunningBus, timeout: number | null, signal: AbortSignal | undefined): Promise<boolean> {
    const handler = liveHandler();
    if (handler?.bus === bus) throw neverIdle(bus, handler);
    if (this.#send === null) return false;
    this.#next += 1;
    const id = this.#next;
    const lifecycle = standIn();
    const waiting: Waiting = { lifecycle, idle: false, failure: null };
    this.#waiting.set(id, waiting);
    // Before the await, whose probes must find it there.
    this.#send(op.AWAIT_IDLE, id);
    const late = new Error('the time is up');
    try {
      await waitFor(lifecycle, null, { timeout, signal, onTimeout: () => late });
    } catch (error) {
      if (error === late) return false;
      throw handler !== null && isAwaitCycleError(error) ? neverIdle(bus, handler) : error;
    } finally {
      this.#waiting.delete(id);
    }
    if (waiting.failure !== null) throw waiting.failure;
    return waiting.idle;
  }

  /** @returns false if the operation is for somebody else */
  read(kind: number, field: Field): boolean {
    if (kind === op.IDLE) this.#end(field(0), field(1), null);
    else if (kind === op.PROBE_IDLE) this.#probed(field(0), field(1));
    else return false;
    return true;
  }

  #probed(id: number, token: string): void {
    const lifecycle = this.#waiting.get(id)?.lifecycle;
    if (lifecycle !== undefined) chaseOn(token, lifecycle);
  }

  #end(id: number, idle: boolean, failure: Error | null): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    Object.assign(waiting, { idle, failure });
    waiting.lifecycle.partDone();
  }
}

/** An event that is on no bus, and complete when its one part is done. */
function standIn(): Lifecycle {
  const lifecycle = lifecycleOf(new BaseEvent({}, { event_type: 'Idle' }));
  lifecycle.dispatched(null);
  lifecycle.attach(emptyPart());
  return lifecycle;
}

function neverIdle({ name: busName }: RunningBus, { runner }: ActiveHandler): AwaitCycleError {
  const { event_type: eventType } = runner.lifecycle.event as BaseEvent;
  return new AwaitCycleError(
    `A handler of ${eventType} waits until ${busName} is idle, which it can't be before the handler returns. Await the events that you need instead.`,
    { busName, eventType },
  );
}
