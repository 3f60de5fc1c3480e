/** What an object needs to stand in an open list, beside a list of another kind. */
export interface Open<T> {
  earlier: T | null;
  later: T | null;
}

/**
 * What is under way, in the order in which it was added, with the links in the members.
 *
 * Not a Set: one that grows and shrinks all the time leaves a chain of old tables behind, each of which keeps alive
 * what its successor held until the next full garbage collection: that was half of all time under load.
 */
export class OpenList<T extends Open<T>> implements Iterable<T> {
  #first: T | null = null;
  #last: T | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | null {
    return this.#first;
  }

  add(member: T): void {
    member.earlier = this.#last;
    if (this.#last === null) this.#first = member;
    else this.#last.later = member;
    this.#last = member;
    this.#size += 1;
  }

  /** `member` must stand in the list. */
  remove(member: T): void {
    if (member.earlier === null) this.#first = member.later;
    else member.earlier.later = member.later;
    if (member.later === null) this.#last = member.earlier;
    else member.later.earlier = member.earlier;
    member.earlier = null;
    member.later = null;
    this.#size -= 1;
  }

  /** Members must not leave meanwhile: copy them first. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let member = this.#first; member !== null; member = member.later) yield member;
  }
}
