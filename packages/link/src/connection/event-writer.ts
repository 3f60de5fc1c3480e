import type { Transferable } from '@threadbus/core';
import { asError, createdAtOf } from '@threadbus/core/internal';
import type { Outbox } from '../outgoing/outbox.ts';
import type { RemotePart } from '../outgoing/remote-part.ts';
import { ownEntries } from '../wire/clone-path.ts';
import { encodeId } from '../wire/event-codec.ts';
import { KindWriter } from '../wire/kind-table.ts';
import { isNestedDeeper } from '../wire/nesting.ts';
import * as op from '../wire/protocol.ts';
import type { WireExtra } from '../wire/protocol.ts';
import { type MoreHost, moreOf } from './event-more.ts';
import { hasShape, type ShapeWriter } from '../wire/shapes.ts';

/** Writes EVENTs: what others have had in common is told once, by number from then on. */
export class EventWriter {
  readonly #outbox: Outbox;
  readonly #shapes: ShapeWriter;
  readonly #kinds: KindWriter;

  constructor(outbox: Outbox, shapes: ShapeWriter) {
    this.#outbox = outbox;
    this.#shapes = shapes;
    this.#kinds = new KindWriter((number, { type, schema, timeout, completion }) =>
      outbox.push(op.KIND, number, type, schema, timeout, completion === 'first'),
    );
  }

  /** @returns null; or why the event can't be sent */
  write(part: RemotePart, host: MoreHost, transfer: readonly Transferable[]): Error | null {
    try {
      return this.#write(part, moreOf(part, host), transfer);
    } catch (error) {
      // None of its values' fault: a handler has replaced what this is built on. The part would never end.
      return asError(error);
    }
  }

  /** @returns null; or why the event can't be sent, with which nothing is */
  #write(part: RemotePart, more: WireExtra, transfer: readonly Transferable[]): Error | null {
    const { event, number, to, lifecycle } = part;
    if (part.context !== null && isNestedDeeper(part.context)) {
      return new Error('a portable context of it is nested too deep to cross a thread boundary');
    }
    const kind = this.#kinds.of(event);
    const shape = hasShape(event, kind.shape) ? kind.shape : this.#shapes.of(Object.keys(event), kind.shape);
    kind.shape = shape;
    const fields =
      shape === null
        ? { payload: Object.fromEntries(ownEntries(event)) }
        : (event as object as Readonly<Record<string, unknown>>);
    const outbox = this.#outbox;
    const { sent } = outbox;
    const failure = outbox.readRow(fields, shape?.names ?? payloadAlone, transfer);
    if (failure !== null) return failure;
    if (part.suspect) outbox.push(op.APART, number).flushNow();
    // What getters have sent meanwhile, its own or of what leaves before it, may have used the kind's number anew.
    const { number: kindNumber } = outbox.sent === sent ? kind : this.#kinds.of(event);
    if (transfer.length > 0) outbox.move(transfer);
    outbox
      .beginRow()
      .push(
        op.EVENT,
        number,
        to.target.number,
        kindNumber,
        encodeId(event),
        createdAtOf(event),
        lifecycle.awaited ? 1 : 0,
        more,
        shape?.number ?? 0,
        shape?.names.length ?? 1,
      );
    outbox.endRow();
    if (part.suspect) outbox.flushNow();
    return null;
  }
}

const payloadAlone = ['payload'];
