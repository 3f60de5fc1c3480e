/** The packets that were sent and not acknowledged, in order: taken from the front, at constant cost for each. */
export class Unacked {
  #packets: (Buffer | null)[] = [];
  #head = 0;
  /** Of all of them together. */
  bytes = 0;

  get size(): number {
    return this.#packets.length - this.#head;
  }

  push(packet: Buffer): void {
    this.#packets.push(packet);
    this.bytes += packet.length;
  }

  /** Forgets the first ones. */
  drop(count: number): void {
    const end = Math.min(this.#head + count, this.#packets.length);
    for (; this.#head < end; this.#head += 1) {
      this.bytes -= (this.#packets[this.#head] as Buffer).length;
      this.#packets[this.#head] = null;
    }
    if (this.#head > 64 && this.#head * 2 >= this.#packets.length) {
      this.#packets = this.#packets.slice(this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#packets = [];
    this.#head = 0;
    this.bytes = 0;
  }

  *[Symbol.iterator](): IterableIterator<Buffer> {
    for (let at = this.#head; at < this.#packets.length; at += 1) yield this.#packets[at] as Buffer;
  }
}
