/** Puts the pieces of frames together again, of which the session gives it each once and in order. */
export class Assembly {
  readonly #maxSize: number;
  #pieces: Uint8Array[] = [];
  #size = 0;

  /** @param maxSize bytes of a frame at most */
  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /**
   * @returns the frame that is whole with this piece; null if more are to come
   * @throws RangeError if the frame is longer than it may be: nothing of it is kept
   */
  add(piece: Uint8Array, isLast: boolean): Uint8Array | null {
    this.#size += piece.length;
    if (this.#size > this.#maxSize) {
      this.#pieces = [];
      throw new RangeError(`a frame of more than ${this.#maxSize} bytes came (maxEventBytes)`);
    }
    if (isLast && this.#pieces.length === 0) {
      this.#size = 0;
      return piece;
    }
    this.#pieces.push(piece);
    if (!isLast) return null;
    const frame = Buffer.concat(this.#pieces, this.#size);
    this.#pieces = [];
    this.#size = 0;
    return frame;
  }
}
