import { checkOperation } from '../wire/frame-check.ts';
import { malformed } from '../wire/malformed.ts';

/** What is done with what comes. */
export interface FrameHost {
  readonly closed: boolean;
  /** The first frame: who the other side is. */
  greet(frame: readonly unknown[]): void;
  /** An operation whose fields begin at `at`, each of the type that it should have. */
  operation(kind: number, frame: readonly unknown[], at: number): void;
}

/** Takes frames apart, as they come: each has its number, and is a row of operations. */
export class FramesRead {
  /** Frames, and operations in them. */
  count = 0;
  operations = 0;
  /** The number of the EVENT that the next frame is, if it has nothing else. */
  apart: number | null = null;
  /** The same of the frame that is being read, until it is. */
  #reading: number | null = null;
  readonly #host: FrameHost;

  constructor(host: FrameHost) {
    this.#host = host;
  }

  /** @throws MalformedFrame */
  read(frame: unknown): void {
    if (!Array.isArray(frame)) malformed('a frame that is no row');
    const row = frame as readonly unknown[];
    const host = this.#host;
    // Who speaks another version, where frames may look otherwise, is told so.
    if (this.count === 0) host.greet(row);
    if (host.closed) return;
    this.count += 1;
    const end = row.length - 1;
    if (row[end] !== this.count) malformed(`frame ${this.count} is missing: what came`);
    this.#reading = this.apart;
    this.apart = null;
    for (let at = 0; at < end && !host.closed;) {
      const next = checkOperation(row, at, end);
      this.operations += 1;
      host.operation(row[at] as number, row, at + 1);
      at = next;
    }
    this.#reading = null;
  }

  /** The next frame can't be read. @returns the number of the EVENT that it is; null if it may be anything */
  skip(): number | null {
    const number = this.apart;
    this.apart = null;
    if (number !== null) this.count += 1;
    return number;
  }

  /** The frame that was being read can't be. @returns as `skip` */
  failed(): number | null {
    const number = this.#reading;
    this.#reading = null;
    return number;
  }
}
