import { newId } from './event-id.ts';
import { describe } from '../basics/describe.ts';
import { isName, nameRule } from '../basics/names.ts';

/** What the registry knows of a bus. */
export interface Named {
  readonly name: string;
}

/** Who a bus is; one object for the life of the bus, so that whoever holds it sees a change. */
export interface BusIdentity {
  id: string;
  name: string;
}

/** A bus that had the event; the id is null for one that is known only from JSON. */
export interface PathStep {
  readonly id: string | null;
  readonly name: string;
}

/**
 * That a bus has a name: held by the bus itself, and weakly here. A weak reference keeps what it is made of until the
 * turn ends; that is this one then, and not the bus, which leaves it when it ends.
 */
export interface Listed<Bus> {
  readonly name: string;
  bus: Bus | null;
}

/** The live buses of this thread by name; it doesn't keep any of them alive. */
export class BusNames<Bus extends Named> {
  readonly #buses = new Map<string, WeakRef<Listed<Bus>>>();
  /** With so many names, those of collected buses are taken out: at most as many as there are others, or a few. */
  #sweepAt = 64;

  /**
   * @param id the bus's, of which a name that nobody has given is made
   * @returns the name to use, and whether the wanted one was taken
   */
  choose(wanted: unknown, id: string): { name: string; taken: boolean } {
    if (wanted === undefined) return { name: this.#unused('EventBus_', id), taken: false };
    if (!isName(wanted)) {
      throw new TypeError(
        `Expected the name of a bus to be ${nameRule}, such as 'Main' or 'auth-bus'; got ${describe(wanted)}.`,
      );
    }
    if (this.#busOf(wanted) === null) return { name: wanted, taken: false };
    return { name: this.#unused(`${wanted}_`, id), taken: true };
  }

  /** @returns what the bus has to hold as long as it is live */
  add(bus: Bus): Listed<Bus> {
    if (this.#buses.size >= this.#sweepAt) this.#sweep();
    const listed: Listed<Bus> = { name: bus.name, bus };
    this.#buses.set(bus.name, new WeakRef(listed));
    return listed;
  }

  remove(listed: Listed<Bus>): void {
    if (this.#buses.get(listed.name)?.deref() === listed) this.#buses.delete(listed.name);
    listed.bus = null;
  }

  live(): Set<Bus> {
    const live = new Set<Bus>();
    for (const name of this.#buses.keys()) {
      const bus = this.#busOf(name);
      if (bus !== null) live.add(bus);
    }
    return live;
  }

  #busOf(name: string): Bus | null {
    return this.#buses.get(name)?.deref()?.bus ?? null;
  }

  #sweep(): void {
    for (const name of this.#buses.keys()) if (this.#busOf(name) === null) this.#buses.delete(name);
    this.#sweepAt = Math.max(64, 2 * this.#buses.size);
  }

  #unused(prefix: string, first: string): string {
    for (let id = first; ; id = newId()) {
      // In one piece: a text that was put together keeps its parts.
      const name = [prefix, id.slice(-8)].join('');
      if (!this.#buses.has(name)) return name;
    }
  }
}
