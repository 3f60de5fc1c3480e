import type { BaseEvent } from '@threadbus/core';
import { EventBus } from '@threadbus/core/internal/bus';

/** So many of the latest are held; of those that went wrong so many more. */
const held = 256;

/** Where the events are that were told of, for those who open one: here, or in the history of a bus. */
export class KeptEvents {
  readonly #latest = new Ring();
  readonly #wrong = new Ring();

  add(event: BaseEvent): void {
    this.#latest.add(event);
  }

  addWrong(event: BaseEvent): void {
    this.#wrong.add(event);
  }

  get(id: string): BaseEvent | undefined {
    return this.#latest.get(id) ?? this.#wrong.get(id) ?? inHistory(id);
  }
}

class Ring {
  readonly #events: BaseEvent[] = [];
  #next = 0;

  add(event: BaseEvent): void {
    this.#events[this.#next] = event;
    this.#next = (this.#next + 1) % held;
  }

  get(id: string): BaseEvent | undefined {
    return this.#events.find(({ event_id }) => event_id === id);
  }
}

/** Only if somebody asks: it looks at all of them. */
function inHistory(id: string): BaseEvent | undefined {
  for (const bus of EventBus.allInstances) {
    const [found] = bus.filter('*', { where: ({ event_id }) => event_id === id, limit: 1 });
    if (found !== undefined) return found;
  }
  return undefined;
}
