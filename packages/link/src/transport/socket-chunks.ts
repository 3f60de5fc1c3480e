import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** Bytes that are read at once. */
const size = 65_536;

/**
 * What comes over a socket, read into the same memory again and again: new memory for each read costs more than all the
 * rest of reading. Who keeps something of a chunk copies it.
 *
 * Before somebody listens, one read is kept, and the rest left where it is.
 */
export class SocketChunks {
  readonly socket: Socket;
  #tell: ((chunk: Buffer) => void) | null = null;
  #early: Buffer | null = null;

  /** @param fd of an open socket or pipe of this process */
  constructor(fd: number) {
    // `connect` documents it; the constructor takes it too.
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
      fd,
      readable: true,
      writable: true,
      onread: { buffer: Buffer.allocUnsafeSlow(size), callback: (count, bytes) => this.#read(bytes, count) },
    };
    this.socket = new Socket(options);
  }

  listen(tell: (chunk: Buffer) => void): void {
    process.nextTick(() => {
      this.#tell = tell;
      if (this.#early !== null) tell(this.#early);
      this.#early = null;
      this.socket.resume();
    });
  }

  /** @returns whether more is to be read */
  #read(bytes: Uint8Array, count: number): boolean {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, count);
    if (this.#tell === null) this.#early = Buffer.from(chunk);
    else this.#tell(chunk);
    return this.#tell !== null;
  }
}
