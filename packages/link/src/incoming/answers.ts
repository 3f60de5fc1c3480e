import type { BaseEvent, EventResult, Transferable } from '@threadbus/core';
import {
  asError,
  completedAtOf,
  type EventConstructor,
  type Lifecycle,
  listOf,
  pathOf,
  type ResultSource,
  startedAtOf,
} from '@threadbus/core/internal';
import { unclonableValue } from '../wire/clone-failure.ts';
import { withoutUnclonable } from '../wire/outcome-repair.ts';
import type { Crossings } from '../outgoing/crossings.ts';
import { decodeFailure } from '../wire/error-codec.ts';
import { mergePath } from '../wire/event-codec.ts';
import { type Arrival, cameOver } from './arrival.ts';
import type { IncomingHost } from './incoming.ts';
import type { Field } from './link-server.ts';
import { LocalCall } from './local-call.ts';
import {
  decodeResults,
  encodeEnd,
  encodeOutcome,
  isPlain,
  type OutcomeReader,
  type OutcomeWriter,
  restorePlain,
} from '../wire/outcome-codec.ts';
import { takeMoving } from '../wire/moving.ts';
import type { Outbox } from '../outgoing/outbox.ts';
import * as op from '../wire/protocol.ts';
import type { WireOutcome } from '../wire/protocol.ts';
import { malformed } from '../wire/malformed.ts';
import type { Peer } from '../wire/peer.ts';
import { RemotePart } from '../outgoing/remote-part.ts';
import { fitsRow, hasShape, type Shape, type ShapeWriter } from '../wire/shapes.ts';
import { shownName } from '../wire/shown-names.ts';
import { type Origin, SourceWriter } from '../wire/source-table.ts';

/** What answers need of their link. */
export interface AnswersHost extends IncomingHost {
  readonly outbox: Outbox;
  readonly crossings: Crossings;
  readonly shapes: ShapeWriter;
  readonly peer: Peer;
  classOf(type: string): EventConstructor | undefined;
}

/** What became of events: told for those that came over a link, and read for those that went. */
export class Answers implements OutcomeWriter, OutcomeReader {
  readonly #link: AnswersHost;
  readonly #sources: SourceWriter;
  /** Whose results they are, by the numbers that the other side has given them. */
  readonly #peerOrigins: Origin[] = [];
  /** Of the last result that was sent, by source. */
  readonly #resultShapes: (Shape | null)[] = [];
  /** Of the outcome that is being written. */
  #moving: Transferable[] = [];
  /** The part whose results are being read. */
  #settling: RemotePart | null = null;

  constructor(link: AnswersHost) {
    this.#link = link;
    this.#sources = new SourceWriter((number, { source, place }) => {
      const { handlerId, handlerName, busId, busName } = source;
      const { threadId = null, pid = null } = place ?? {};
      link.outbox.push(op.SOURCE, number, handlerId, handlerName, busId, busName, threadId, pid);
    });
  }

  /** An answer that can't be written, which is no value's fault, ends the event all the same: nobody else would tell. */
  send(arrival: Arrival): void {
    try {
      this.#send(arrival);
    } catch (error) {
      this.sendRefusal(arrival.number, arrival.event, asError(error));
    }
  }

  #send({ number, event, lifecycle, brought, part, steps }: Arrival): void {
    const results = (brought ? lifecycle.results : part === null ? [] : listOf(part.runners)) as readonly EventResult[];
    const only = results[0];
    if (brought && results.length === 1 && only !== undefined && pathOf(event).length === steps && isPlain(only)) {
      this.#sendPlain(number, only);
    } else {
      this.#link.outbox.push(op.RESULTS, number, this.encode(event, results));
    }
  }

  sendRefusal(number: number, event: BaseEvent, error: Error): void {
    this.#link.outbox.push(op.RESULTS, number, encodeOutcome(event, [], this, error));
  }

  /** To be sent at once: what its values move goes with the next operation. */
  encode(event: BaseEvent, results: readonly EventResult[]): WireOutcome {
    this.#sources.prune();
    const outcome = encodeOutcome(event, results, this);
    this.#link.outbox.move(this.#moving);
    this.#moving = [];
    return outcome;
  }

  takes(value: unknown): void {
    this.#moving.push(...takeMoving(value));
  }

  /** An answer without the values that can't be cloned. */
  repaired(operation: readonly unknown[]): readonly unknown[] {
    const [kind, number] = operation;
    const sourceAt = (source: number): ResultSource => this.#sources.sourceAt(source);
    if (kind === op.RESULTS) return [kind, number, withoutUnclonable(operation[2] as WireOutcome, sourceAt)];
    const [, , source, , startedAt, completedAt, shape, , ...row] = operation;
    const value = this.#link.shapes.read(shape as number, row, 0);
    const error = unclonableValue(value, sourceAt(source as number));
    return [kind, number, source, op.FAILED, startedAt, completedAt, 0, 1, error];
  }

  readSource(field: Field): void {
    const source = {
      handlerId: field(1),
      handlerName: field(2),
      busId: field(3),
      busName: shownName(field(3), field(4)),
    };
    const threadId: number | null = field(5);
    const pid: number | null = field(6);
    this.#peerOrigins[field(0)] = { source, place: threadId === null || pid === null ? null : { threadId, pid } };
  }

  /** The one result that an event has at the other end. */
  readPlain(part: RemotePart, frame: readonly unknown[], at: number): readonly EventResult[] {
    const origin = this.originAt(frame[at + 1] as number);
    const { peer } = this.#link;
    const startedAt = peer.moment(frame[at + 3]);
    const completedAt = peer.moment(frame[at + 4]);
    const outcome = peer.shapes.read(frame[at + 5] as number, frame, at + 7, frame[at + 6] as number);
    const result = restorePlain(part.event, origin, frame[at + 2] as number, startedAt, completedAt, outcome);
    const { busId } = origin.source;
    // It came back to where it was; or the handler was a bus's of this side, and its function is over there; or what
    // had the function to call was told of by it first.
    const { lifecycle } = part;
    const maybeHere =
      busId !== part.bus.id || this.#link.crossings.hasReturned(lifecycle) || lifecycle.results.length > 0;
    const local = part.onCalled === null && maybeHere ? localResult(part, origin.source, alone) : null;
    return local ?? [result];
  }

  /** What became of an event at the other end; an error if it was not taken there. */
  read(part: RemotePart, outcome: WireOutcome): readonly EventResult[] | Error {
    const { event } = part;
    const [refused, [path]] = outcome;
    const failure = refused === null ? null : decodeFailure(refused);
    mergePath(event, path);
    if (failure !== null) return failure;
    this.#settling = part;
    try {
      return decodeResults(event, outcome, this);
    } finally {
      this.#settling = null;
    }
  }

  numberOf(result: EventResult): number {
    return this.#sources.numberOf(result);
  }

  brought(lifecycle: Lifecycle): boolean {
    return cameOver(lifecycle, this.#link);
  }

  originAt(number: number): Origin {
    return this.#peerOrigins[number] ?? malformed('the source of a result');
  }

  /**
   * Children that crossed may be complete and forgotten by now, but not by the part that they came back to: it is the
   * settling event's, or of an event above it.
   */
  find(id: string): BaseEvent | undefined {
    const found = this.#link.crossings.find(id);
    if (found !== undefined) return found;
    for (
      let above = this.#settling?.lifecycle ?? null;
      above !== null;
      above = above.parent?.lifecycle ?? above.extras.above
    ) {
      const event = descendantOf(above, id);
      if (event !== undefined) return event;
    }
    return undefined;
  }

  classOf(type: string): EventConstructor | undefined {
    return this.#link.classOf(type);
  }

  local(source: ResultSource, told: (busId: string) => number): readonly EventResult[] | null {
    const part = this.#settling;
    // What a function has made of it fills the result that is here already.
    if (part === null || part.onCalled !== null) return null;
    return localResult(part, source, told);
  }

  #sendPlain(number: number, result: EventResult): void {
    this.#sources.prune();
    const source = this.numberOf(result);
    const end = encodeEnd(result);
    const status = end[0];
    const outcome = end[1];
    const from = startedAtOf(result);
    const to = completedAtOf(result);
    const { outbox, shapes } = this.#link;
    if (fitsRow(outcome)) {
      const guess = this.#resultShapes[source] ?? null;
      const shape = hasShape(outcome, guess) ? guess : shapes.of(Object.keys(outcome), guess);
      this.#resultShapes[source] = shape;
      if (shape !== null) {
        const { names } = shape;
        if (outbox.readRow(outcome, names) === null) {
          // Asked again: what its getters have sent meanwhile may have used the source's number anew. That may be told
          // by an operation of its own, before this one begins.
          const known = this.numberOf(result);
          outbox.beginRow().push(op.RESULT, number, known, status, from, to, shape.number, names.length);
          outbox.endRow();
          return;
        }
      }
    }
    outbox.move(takeMoving(outcome));
    outbox.push(op.RESULT, number, source, status, from, to, 0, 1, outcome);
  }
}

/**
 * A result that this side has already: one to put where the other side says, or none because it shows elsewhere.
 *
 * @param told how many results of a bus the other side has told of now
 */
function localResult(
  { lifecycle }: RemotePart,
  { handlerId, busId }: ResultSource,
  told: (busId: string) => number,
): readonly EventResult[] | null {
  const called = LocalCall.take(lifecycle, handlerId);
  if (called !== undefined) return [called];
  const known = (lifecycle.results as readonly EventResult[]).find(({ handler_id }) => handler_id === handlerId);
  if (known === undefined) return null;
  return takeKnown(lifecycle, known, told(busId)) ? [known] : [];
}

const alone = (): number => 1;

/**
 * Who had only functions of the bus to call tells of less than the bus does: the one who tells of more knows the order.
 *
 * @returns whether it was shown by a side that knew less
 */
function takeKnown(lifecycle: Lifecycle, known: EventResult, ofBus: number): boolean {
  return lifecycle.somePart((part) => {
    if (!(part instanceof RemotePart) || !part.results.includes(known)) return false;
    if (part.results.filter(({ eventbus_id }) => eventbus_id === known.eventbus_id).length >= ofBus) return false;
    part.results = part.results.filter((result) => result !== known);
    return true;
  });
}

/** An event that came back to one of the event's parts at other ends, by id. */
function descendantOf(lifecycle: Lifecycle, id: string): BaseEvent | undefined {
  let found: BaseEvent | undefined;
  lifecycle.somePart((part) => {
    if (part instanceof RemotePart) found = part.descendant(id);
    return found !== undefined;
  });
  return found;
}
