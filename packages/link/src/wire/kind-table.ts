import type { BaseEvent } from '@threadbus/core';
import { completionOf, statedTimeoutOf } from '@threadbus/core/internal';
import type { Shape } from './shapes.ts';

/** What events of one kind have in common. */
export interface EventKind {
  readonly type: string;
  readonly schema: string;
  /** Seconds; null = none, undefined if neither the class nor the event states one. */
  readonly timeout: number | null | undefined;
  /** What completes it on a bus; undefined if its class alone knows. */
  readonly completion?: 'all' | 'first';
}

/** A kind that the other side has been told. */
export interface NumberedKind extends EventKind {
  readonly number: number;
  /** Of the last event's payload. */
  shape: Shape | null;
}

/** Types may be made up as a program runs: beyond so many the numbers are used anew. */
export const maxKinds = 1024;

/** Gives each kind of events that are sent a number, so that it is described once and not with every event. */
export class KindWriter {
  readonly #byType = new Map<string, NumberedKind>();
  readonly #define: (number: number, kind: EventKind) => void;

  /** @param define told before a number is first used, and whenever it stands for another kind */
  constructor(define: (number: number, kind: EventKind) => void) {
    this.#define = define;
  }

  of(event: BaseEvent): NumberedKind {
    const { event_type: type, event_schema: schema } = event;
    const timeout = statedTimeoutOf(event);
    const completion = completionOf(event);
    const known = this.#byType.get(type);
    if (known?.schema === schema && known.timeout === timeout && known.completion === completion) return known;
    // Not for a kind that keeps its number: another would get the same.
    if (known === undefined && this.#byType.size >= maxKinds) this.#byType.clear();
    const number = known?.number ?? this.#byType.size;
    const kind = { type, schema, timeout, completion, number, shape: known?.shape ?? null };
    this.#byType.set(type, kind);
    this.#define(kind.number, kind);
    return kind;
  }
}
