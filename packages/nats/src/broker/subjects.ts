import { encodeName } from '../basics/names.ts';

/** Where what is said in one namespace. */
export class Subjects {
  readonly #root: string;

  constructor(namespace: string) {
    this.#root = `threadbus.${namespace}`;
  }

  /** All servers of a bus listen: who they are, and who wants the name. */
  who(bus: string): string {
    return `${this.#root}.bus.${encodeName(bus)}.who`;
  }

  /** Requests to join a bus: any server of it takes them. */
  join(bus: string): string {
    return `${this.#root}.bus.${encodeName(bus)}.join`;
  }

  /** Requests to join one server of a bus. */
  joinReplica(bus: string, replica: string): string {
    return `${this.join(bus)}.${encodeName(replica)}`;
  }

  /** Packets from the one that joins. */
  up(session: string): string {
    return `${this.#root}.link.${session}.up`;
  }

  /** Packets to the one that joins. */
  down(session: string): string {
    return `${this.#root}.link.${session}.down`;
  }
}
