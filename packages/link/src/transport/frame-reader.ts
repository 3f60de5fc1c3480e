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
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes of the frame that is coming; -1 while its header is. */
  #length = -1;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * @returns the next frame that is whole; null if there is none yet
   * @throws Error where a header should be and is none: what comes behind it can't be told any more
   */
  next(): Buffer | null {
    if (this.#length < 0) {
      if (this.#size < headerSize) return null;
      this.#length = lengthOf(this.#take(headerSize));
    }
    if (this.#size < this.#length) return null;
    const bytes = this.#take(this.#length);
    this.#length = -1;
    return bytes;
  }

  /** The memory of the last chunk is going to be used for something else. */
  keep(): void {
    const last = this.#chunks.pop();
    if (last !== undefined) this.#chunks.push(Buffer.from(last));
  }

  #take(count: number): Buffer {
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.#size);
    const rest = all.subarray(count);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#size -= count;
    return all.subarray(0, count);
  }
}

function lengthOf(header: Buffer): number {
  const length = header.readUInt32BE(0);
  if (~length >>> 0 !== header.readUInt32BE(4)) throw new Error('no frame begins where one should');
  return length;
}
