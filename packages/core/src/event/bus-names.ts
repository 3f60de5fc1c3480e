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

/** The live buses of this thread by name; it doesn't keep any of them alive. */
export class BusNames<Bus extends Named> {
  readonly #buses = new Map<string, WeakRef<Bus>>();
  readonly #collected = new FinalizationRegistry<string>((name) => {
    if (this.#buses.get(name)?.deref() === undefined) this.#buses.delete(name);
  });

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
    if (this.#buses.get(wanted)?.deref() === undefined) return { name: wanted, taken: false };
    return { name: this.#unused(`${wanted}_`, id), taken: true };
  }

  add(bus: Bus): void {
    this.#buses.set(bus.name, new WeakRef(bus));
    this.#collected.register(bus, bus.name, bus);
  }

  remove(bus: Bus): void {
    if (this.#buses.get(bus.name)?.deref() === bus) this.#buses.delete(bus.name);
    this.#collected.unregister(bus);
  }

  live(): Set<Bus> {
    const live = new Set<Bus>();
    for (const ref of this.#buses.values()) {
      const bus = ref.deref();
      if (bus !== undefined) live.add(bus);
    }
    return live;
  }

  #unused(prefix: string, first: string): string {
    for (let id = first; ; id = newId()) {
      // In one piece: a text that was put together keeps its parts.
      const name = [prefix, id.slice(-8)].join('');
      if (!this.#buses.has(name)) return name;
    }
  }
}
