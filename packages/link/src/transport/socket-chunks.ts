import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** Bytes that are read at once. */
const size = 65_536;

/** What Node's sockets have in common with the system's. */
interface Handle {
  useUserBuffer?(memory: Uint8Array): void;
}

interface Handled {
  _handle: Handle | null;
}

/**
 * What comes over a socket, read into the same memory again and again: new memory for each read costs more than all the
 * rest of reading. Who keeps something of a chunk copies it.
 *
 * Before somebody listens, one read is kept, and the rest left where it is.
 */
export class SocketChunks {
  readonly socket: Socket;
  readonly #memory = Buffer.allocUnsafeSlow(size);
  #tell: ((chunk: Buffer) => void) | null = null;
  #early: Buffer | null = null;

  private constructor(from: { readonly fd: number } | { readonly handle: Handle }) {
    // `connect` documents it; the constructor takes it too.
    const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
      ...from,
      readable: true,
      writable: true,
      onread: { buffer: this.#memory, callback: (count) => this.#read(count) },
    };
    this.socket = new Socket(options);
  }

  /** @param fd of an open socket or pipe of this process */
  static at(fd: number): SocketChunks {
    return new SocketChunks({ fd });
  }

  /**
   * Takes over a socket that was made by somebody else, as Node makes those of a child process, and of which nothing was
   * read: the given one is of no use from then on.
   *
   * Only who makes a socket can say how it is read, and what is to be had of one for another is nothing that Node
   * documents: where it isn't found, the socket stays what it is. So does one that is still connecting.
   *
   * @returns null then
   */
  static over(socket: Socket): SocketChunks | null {
    const { _handle: handle } = socket as Partial<Handled>;
    if (socket.connecting || typeof handle?.useUserBuffer !== 'function') return null;
    (socket as Partial<Handled>)._handle = null;
    return new SocketChunks({ handle });
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
  #read(count: number): boolean {
    const chunk = this.#memory.subarray(0, count);
    if (this.#tell === null) this.#early = Buffer.from(chunk);
    else this.#tell(chunk);
    return this.#tell !== null;
  }
}
