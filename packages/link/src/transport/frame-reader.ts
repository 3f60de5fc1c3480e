/**
 * Puts the frames of a stream together again: each is its length, in bytes with the highest first, and so many bytes.
 *
 * What has come is kept as it came until a frame is whole, so that a long frame costs its length once, however many
 * chunks it takes.
 */
export class FrameReader {
  readonly #prefix: number;
  readonly #onFrame: (bytes: Buffer) => void;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes of the frame that is coming; -1 while its length is. */
  #length = -1;

  constructor(prefix: number, onFrame: (bytes: Buffer) => void) {
    this.#prefix = prefix;
    this.#onFrame = onFrame;
  }

  /** Tells the frames that are whole with this chunk; what the listener throws goes to the caller. */
  read(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    for (;;) {
      if (this.#length < 0) {
        if (this.#size < this.#prefix) return;
        this.#length = this.#take(this.#prefix).readUIntBE(0, this.#prefix);
      }
      if (this.#size < this.#length) return;
      const bytes = this.#take(this.#length);
      this.#length = -1;
      this.#onFrame(bytes);
    }
  }

  #take(count: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.#size);
    const rest = all.subarray(count);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#size -= count;
    return all.subarray(0, count);
  }
}
