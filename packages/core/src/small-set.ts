/** A set that mostly has one member: it makes a real Set only for the second. */
export class SmallSet<T extends object> {
  #one: T | null = null;
  #more: Set<T> | null = null;

  get size(): number {
    return (this.#one === null ? 0 : 1) + (this.#more === null ? 0 : this.#more.size);
  }

  add(member: T): void {
    if (this.#more !== null) this.#more.add(member);
    else if (this.#one === null) this.#one = member;
    else if (this.#one !== member) {
      this.#more = new Set([this.#one, member]);
      this.#one = null;
    }
  }

  has(member: T): boolean {
    return this.#one === member || (this.#more !== null && this.#more.has(member));
  }

  /** @returns whether it was a member */
  delete(member: T): boolean {
    if (this.#one !== member) return this.#more?.delete(member) ?? false;
    this.#one = null;
    return true;
  }

  /** As iterating does, without the iterator that it makes. */
  forEach(call: (member: T) => void): void {
    if (this.#one !== null) call(this.#one);
    if (this.#more !== null) for (const member of this.#more) call(member);
  }

  /** In the order in which they were added; members may be deleted meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    if (this.#one !== null) yield this.#one;
    if (this.#more !== null) yield* this.#more;
  }
}
