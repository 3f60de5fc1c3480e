import type { BaseEvent } from '@threadbus/core';
import {
  type BusIdentity,
  type EventConstructor,
  fromEpoch,
  type IdOrigin,
  type Moment,
  never,
  TrustedPayload,
  TrustedValues,
} from '@threadbus/core/internal';
import { restoreEvent } from './event-codec.ts';
import { isPayload } from './frame-check.ts';
import type { EventKind } from './kind-table.ts';
import type { Origins } from './handshake.ts';
import { malformed } from './malformed.ts';
import type { WireExtra, WirePath } from './protocol.ts';
import { ShapeReader } from './shapes.ts';
import { sharedClock, sharedNow } from './shared-clock.ts';

/** What the other side of a link has told of itself, without which its EVENTs and RESULTs can't be read. */
export class Peer {
  readonly shapes: ShapeReader = new ShapeReader();
  readonly #kinds: EventKind[] = [];
  // Until it has introduced itself, with which everything begins.
  #ids: IdOrigin = { first: 0, salt: 0 };
  #clock = 0;
  #sharedClock = '';

  introduced = false;
  /** Of what was on no bus but that at the other end. */
  path: WirePath | null = null;

  introduce({ name, id }: BusIdentity, { ids, clock, sharedClock: theirs }: Origins): void {
    this.path = [name, id];
    this.#sharedClock = theirs;
    this.introduced = true;
    this.#ids = ids;
    this.#clock = clock;
  }

  #readPayload(payload: unknown, count: number): TrustedPayload {
    return new TrustedPayload(count === 1 && isPayload(payload) ? payload : malformed('the payload of an EVENT'));
  }

  /** From the fields of a KIND. */
  defineKind(number: number, field: (index: number) => never): void {
    const completion = field(4) ? 'first' : 'all';
    this.#kinds[number] = { type: field(1), schema: field(2), timeout: field(3), completion };
  }

  /** A time that the other side tells by the clock that nobody sets and by the epoch: by this side's clock that nobody sets. */
  sharedTime(shared: number, epochMs: number): number {
    return this.#sharedClock === sharedClock() ? shared : sharedNow() - (Date.now() - epochMs);
  }

  /** A time of its clock; `never` is the same on both sides. */
  moment(time: unknown): Moment {
    return time === never ? never : fromEpoch(this.#clock + (time as number));
  }

  /** The event of the EVENT operation whose fields begin at `at`. */
  readEvent(frame: readonly unknown[], at: number, classOf: (type: string) => EventConstructor | undefined): BaseEvent {
    const kind = this.#kinds[frame[at + 2] as number] ?? malformed('the kind of an EVENT');
    const id = frame[at + 3] as string | number;
    const createdAt = this.moment(frame[at + 4]);
    const more = frame[at + 6] as WireExtra;
    const shape = frame[at + 7] as number;
    const count = frame[at + 8] as number;
    const values = at + 9;
    const payload =
      shape === 0
        ? this.#readPayload(frame[values], count)
        : new TrustedValues(this.shapes.payloadNames(shape, count), frame, values);
    return restoreEvent(
      kind,
      id,
      this.#ids,
      more === null || typeof more === 'string' ? null : more[0],
      createdAt,
      payload,
      classOf(kind.type),
    );
  }
}
