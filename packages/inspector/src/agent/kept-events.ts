import type { BaseEvent } from '@threadbus/core';

/** So many of the latest are held, and as many more as long as others hold them: a bus's history, those who await them. */
const held = 256;
const known = 10_000;

/** The events that were told of, for those who open one. */
export class KeptEvents {
  readonly #held: BaseEvent[] = [];
  #next = 0;
  readonly #known = new Map<string, WeakRef<BaseEvent>>();

  add(event: BaseEvent): void {
    this.#known.set(event.event_id, new WeakRef(event));
    if (this.#known.size > known) this.#known.delete(this.#known.keys().next().value as string);
    this.#held[this.#next] = event;
    this.#next = (this.#next + 1) % held;
  }

  get(id: string): BaseEvent | undefined {
    return this.#known.get(id)?.deref();
  }
}
