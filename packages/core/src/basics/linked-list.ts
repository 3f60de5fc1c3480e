/** What an object needs to stand in a list: it stands in one list of its kind at a time. */
export interface Linked<T> {
  previous: T | null;
  next: T | null;
}

/** A FIFO whose members carry the links, so that taking one out of the middle costs the same as taking the first. */
export class LinkedList<T extends Linked<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | null {
    return this.#first;
  }

  get last(): T | null {
    return this.#last;
  }

  push(member: T): void {
    this.insertAfter(this.#last, member);
  }

  /** Puts `member` behind `place`, or in front of all when `place` is null. */
  insertAfter(place: T | null, member: T): void {
    const next = place === null ? this.#first : place.next;
    member.previous = place;
    member.next = next;
    if (place === null) this.#first = member;
    else place.next = member;
    if (next === null) this.#last = member;
    else next.previous = member;
    this.#size += 1;
  }

  shift(): T | null {
    const first = this.#first;
    if (first !== null) this.remove(first);
    return first;
  }

  /** `member` must stand in this list. */
  remove(member: T): void {
    if (member.previous === null) this.#first = member.next;
    else member.previous.next = member.next;
    if (member.next === null) this.#last = member.previous;
    else member.next.previous = member.previous;
    member.previous = null;
    member.next = null;
    this.#size -= 1;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    let member = this.#first;
    while (member !== null) {
      const next: T | null = member.next;
      yield member;
      member = next;
    }
  }
}
