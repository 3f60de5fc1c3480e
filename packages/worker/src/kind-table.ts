import type { BaseEvent } from '@threadbus/core';

/** What events of one kind have in common. */
export interface EventKind {
  readonly type: string;
  readonly schema: string;
  /** Seconds; null = none. */
  readonly timeout: number | null;
}

interface Numbered extends EventKind {
  readonly number: number;
}

/** Types may be made up as a program runs: beyond so many the numbers are used anew. */
const maxKinds = 1024;

/** Gives each kind of events that are sent a number, so that it is described once and not with every event. */
export class KindWriter {
  readonly #byType = new Map<string, Numbered>();
  readonly #define: (number: number, kind: EventKind) => void;

  /** @param define told before a number is first used, and whenever it stands for another kind */
  constructor(define: (number: number, kind: EventKind) => void) {
    this.#define = define;
  }

  numberOf({ event_type: type, event_schema: schema, event_timeout: timeout }: BaseEvent): number {
    const known = this.#byType.get(type);
    if (known !== undefined && known.schema === schema && known.timeout === timeout) return known.number;
    // Not for a kind that keeps its number: another would get the same.
    if (known === undefined && this.#byType.size >= maxKinds) this.#byType.clear();
    const kind = { type, schema, timeout, number: known?.number ?? this.#byType.size };
    this.#byType.set(type, kind);
    this.#define(kind.number, kind);
    return kind.number;
  }
}
