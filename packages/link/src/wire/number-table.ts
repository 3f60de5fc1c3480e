/**
 * Gives its members small numbers, each used again once it is free: a lookup is an array access, and a table that is
 * filled and emptied all the time allocates nothing, unlike a Map.
 */
export class NumberTable<T> {
  readonly #members: (T | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#members.length - this.#free.length;
  }

  /** @returns the member's number */
  add(member: T): number {
    const number = this.#free.pop() ?? this.#members.length;
    this.#members[number] = member;
    return number;
  }

  get(number: number): T | undefined {
    return this.#members[number];
  }

  /** Takes the member with that number out. */
  take(number: number): T | undefined {
    const member = this.#members[number];
    if (member === undefined) return undefined;
    this.#members[number] = undefined;
    this.#free.push(number);
    return member;
  }

  /** In order of their numbers. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const member of this.#members) if (member !== undefined) yield member;
  }

  clear(): void {
    this.#members.length = 0;
    this.#free.length = 0;
  }
}
