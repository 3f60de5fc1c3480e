/** Bytes in front of each frame: its length with the highest byte first, and the same with every bit turned over. */
export const headerSize = 8;

/** Writes the header of a frame of so many bytes, at most what four bytes can say. */
export function writeHeader(to: Buffer, length: number): void {
  to.writeUInt32BE(length, 0);
  to.writeUInt32BE(~length >>> 0, 4);
}

/**
 * Puts the frames of a stream together again: each is a header and so many bytes.
 *
 * Bytes that are missing or too many show at the next header: a length alone would be believed whatever it is, and the
 * rest of a wrong one waited for without end.
 *
 * What has come is kept as it came until a frame is whole, so that a long frame costs its length once, however many
 * chunks it takes.
 */
export class FrameReader {
  /** The frame that is next begins in it at `#at`, or its header does. */
  #first: Buffer = nothing;
  #at = 0;
  /** What came behind the first. */
  #rest: Buffer[] = [];
  /** Bytes that have come and were not taken. */
  #size = 0;
  /** Bytes of the frame that is coming; -1 while its header is. */
  #length = -1;

  push(chunk: Buffer): void {
    if (this.#size === 0) {
      this.#first = chunk;
      this.#at = 0;
    } else this.#rest.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * @returns the next frame that is whole; null if there is none yet
   * @throws Error where a header should be and is none: what comes behind it can't be told any more
   */
  next(): Buffer | null {
    if (this.#length < 0) {
      if (this.#size < headerSize) return null;
      const at = this.#take(headerSize);
      this.#length = lengthAt(this.#first, at);
    }
    if (this.#size < this.#length) return null;
    const from = this.#take(this.#length);
    this.#length = -1;
    return this.#first.subarray(from, this.#at);
  }

  /** The memory of the last chunk is going to be used for something else. */
  keep(): void {
    const last = this.#rest.pop();
    if (last !== undefined) this.#rest.push(Buffer.from(last));
    else if (this.#size > 0) {
      this.#first = Buffer.from(this.#first.subarray(this.#at));
      this.#at = 0;
    } else this.#first = nothing;
  }

  /** @returns where in the first chunk they begin */
  #take(count: number): number {
    if (this.#first.length - this.#at < count) {
      this.#first = Buffer.concat([this.#first.subarray(this.#at), ...this.#rest], this.#size);
      this.#at = 0;
      this.#rest = [];
    }
    const from = this.#at;
    this.#at += count;
    this.#size -= count;
    return from;
  }
}

const nothing: Buffer = Buffer.alloc(0);

function lengthAt(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at);
  if (~length >>> 0 !== bytes.readUInt32BE(at + 4)) throw new Error('no frame begins where one should');
  return length;
}
