import type { EventResult } from '@threadbus/core';
import { ranInOf, type ResultSource, sourceOf, type ThreadPlace } from '@threadbus/core/internal';

/** Handlers come and go: beyond so many the numbers are used anew. */
export const maxSources = 1024;

/** Where results come from: a handler, and the thread that ran it; null where that isn't known, or before it has started. */
export interface Origin {
  readonly source: ResultSource;
  readonly place: ThreadPlace | null;
}

interface Numbered extends Origin {
  readonly number: number;
}

/** Gives each origin of results that are sent a number, so that its names are sent once and not with every result. */
export class SourceWriter {
  /** By handler id: mostly all calls of a handler run in one thread. */
  readonly #known = new Map<string, Numbered[]>();
  readonly #sources: ResultSource[] = [];
  readonly #define: (number: number, origin: Origin) => void;
  #size = 0;
  /** Mostly the same handler is asked for again: a lookup by id is a sixth of what an event costs its thread. */
  #last: Numbered | null = null;

  /** @param define told before a number is first used, and whenever it is used for another origin */
  constructor(define: (number: number, origin: Origin) => void) {
    this.#define = define;
  }

  /** To be called before each outcome: within one, numbers must not change. */
  prune(): void {
    if (this.#size <= maxSources) return;
    this.#known.clear();
    this.#size = 0;
    this.#last = null;
  }

  numberOf(result: EventResult): number {
    const source = sourceOf(result);
    const place = ranInOf(result);
    if (this.#last?.source !== source || this.#last.place !== place) this.#last = this.#lookUp(source, place);
    return this.#last.number;
  }

  sourceAt(number: number): ResultSource {
    return this.#sources[number] as ResultSource;
  }

  #lookUp(source: ResultSource, place: ThreadPlace | null): Numbered {
    const others = this.#known.get(source.handlerId) ?? [];
    const known = others.find((other) => isSame(other.place, place));
    // What is looked for next is these very objects.
    if (known !== undefined) return { source, place, number: known.number };
    const added = { source, place, number: this.#size };
    this.#size += 1;
    this.#known.set(source.handlerId, [...others, added]);
    this.#sources[added.number] = source;
    this.#define(added.number, added);
    return added;
  }
}

function isSame(one: ThreadPlace | null, other: ThreadPlace | null): boolean {
  return one === other || (one !== null && one.threadId === other?.threadId && one.pid === other.pid);
}
