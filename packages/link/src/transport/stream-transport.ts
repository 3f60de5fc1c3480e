import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { Deserializer, Serializer } from 'node:v8';
import type { Transferable } from '@threadbus/core';
import { queueMicrotask, startTimer } from '@threadbus/core/internal';
import { LinkError } from '../wire/errors.ts';
import { outsideContexts } from '../wire/portable.ts';
import { FrameReader, headerSize, writeHeader } from './frame-reader.ts';
import { plainFrame, plainRow } from './plain-row.ts';
import { SocketChunks } from './socket-chunks.ts';
import { cloneFailure, type Transport, TransportEnded } from './transport.ts';

/** Bytes; what the header of a frame can say. */
const longest = 0xffff_ffff;
/** Seconds in which the other side's last frames may still come once nothing can be sent to it any more. */
const lastWords = 1;

/**
 * Takes and refuses what structured clone does. (`v8.serialize` writes a typed array without its buffer, and
 * `v8.deserialize` makes it a view of whatever its frame came in.)
 */
class FrameSerializer extends Serializer {
  // Named by Node: what is thrown for a value that can't be copied.
  _getDataCloneError(message: string): DOMException {
    return new DOMException(message, 'DataCloneError');
  }
}

/**
 * Lets a pair of Node streams carry a link: the pipes of a child process, or a socket as both.
 *
 * Each frame is a header with its length, and the value as V8 serialises it: both ends must run versions of Node.js
 * that read each other's. Buffers that are transferred are copied, then detached here; ports and streams can't be.
 *
 * @example
 * ```ts
 * const child = spawn(process.execPath, ['index-bus.js'], { stdio: ['pipe', 'pipe', 'inherit'] });
 * const index = await linkBuses(main, streamTransport(child.stdout, child.stdin));
 * // index-bus.js: linkBuses(bus, streamTransport(process.stdin, process.stdout));
 * ```
 */
export function streamTransport(input: Readable, output: Writable): Transport {
  return new StreamTransport(input, output, null);
}

/** The same over a socket of which nothing was read, and which belongs to the transport from then on. */
export function socketTransport(socket: Socket): Transport {
  const chunks = SocketChunks.over(socket);
  return chunks === null ? streamTransport(socket, socket) : chunksTransport(chunks);
}

/** The same over a socket whose chunks are read elsewhere. */
export function chunksTransport(chunks: SocketChunks): Transport {
  return new StreamTransport(chunks.socket, chunks.socket, chunks);
}

/**
 *   new ──open──▶ open ──stream ends, fails, is unreadable──▶ lost
 *    └────────────┴──close──▶ closed
 *
 * A stream that fails while it is new fails the transport when it is opened.
 */
class StreamTransport implements Transport {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #chunks: SocketChunks | null;
  readonly #reader = new FrameReader();
  #state: 'new' | 'open' | 'lost' | 'closed' = 'new';
  #failure: LinkError | null = null;
  #receive: (frame: unknown) => void = () => undefined;
  #lost: (error: Error) => void = () => undefined;
  #unread: (error: Error) => boolean = () => false;

  /** @param chunks of `input`, if they are no `data` events of it */
  constructor(input: Readable, output: Writable, chunks: SocketChunks | null) {
    this.#input = input;
    this.#output = output;
    this.#chunks = chunks;
    outsideContexts(() => {
      input.on('error', (cause) => this.#end(failed(cause)));
      input.on('close', () => this.#end(new TransportEnded('The stream was closed.')));
      if ((output as unknown) === input) return;
      // The pipe to a process that has ended breaks while its last frames are still in the other one.
      const broken = (error: LinkError): unknown => startTimer(lastWords, () => this.#end(error), false);
      output.on('error', (cause) => broken(failed(cause)));
      output.on('close', () => broken(new TransportEnded('The stream was closed.')));
    });
  }

  open(receive: (frame: unknown) => void, lost: (error: Error) => void, unread?: (error: Error) => boolean): void {
    if (this.#state !== 'new') return;
    this.#unread = unread ?? this.#unread;
    this.#state = 'open';
    this.#receive = receive;
    this.#lost = lost;
    outsideContexts(() => {
      if (this.#chunks === null) this.#input.on('data', (chunk: Buffer) => this.#read(chunk));
      else this.#chunks.listen((chunk) => this.#readOnce(chunk));
      this.#input.on('end', () => this.#end(new TransportEnded('The stream of the other side has ended.')));
      if (this.#input.destroyed) this.#failure ??= new TransportEnded('The stream was closed.');
      if (this.#failure !== null) queueMicrotask(() => this.#end(this.#failure as LinkError));
    });
  }

  send(frame: unknown, transfer: readonly Transferable[]): void {
    if (this.#state === 'lost' || this.#state === 'closed') return;
    const other = transfer.find((item) => !(item instanceof ArrayBuffer));
    if (other !== undefined) {
      throw new DOMException(`${other.constructor.name} can't be transferred over streams.`, 'DataCloneError');
    }
    const bytes = encode(frame);
    if (!this.#output.destroyed) this.#output.write(bytes);
    // Copied already: all that is left of moving is that the sender loses them.
    for (const item of transfer) structuredClone(item, { transfer: [item as ArrayBuffer] });
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    // A socket is both: nothing of it may end before what was sent has left.
    const closeInput = (): unknown => this.#input.destroy();
    if (this.#output.destroyed) closeInput();
    else this.#output.end(closeInput);
  }

  ref(): void {
    this.#setRef('ref');
  }

  unref(): void {
    this.#setRef('unref');
  }

  /** A chunk that is overwritten then. */
  #readOnce(chunk: Buffer): void {
    this.#read(chunk);
    this.#reader.keep();
  }

  #read(chunk: Buffer): void {
    this.#reader.push(chunk);
    while (this.#state === 'open') {
      // Where one frame ends and the next begins is known even if what is in it can't be read.
      const bytes = this.#next();
      if (bytes === null) return;
      let frame: unknown;
      try {
        frame = decode(bytes);
      } catch (cause) {
        const error = unreadable(cause);
        if (this.#unread(error)) continue;
        this.#end(error);
        return;
      }
      this.#receive(frame);
    }
  }

  /** @returns null: the rest of the frame has yet to come, or what has come is none */
  #next(): Buffer | null {
    try {
      return this.#reader.next();
    } catch (cause) {
      this.#end(unreadable(cause));
      return null;
    }
  }

  #end(error: LinkError): void {
    this.#failure ??= error;
    if (this.#state !== 'open') return;
    this.#state = 'lost';
    this.#lost(error);
  }

  /** Sockets and pipes of processes have both; other streams keep nothing alive. */
  #setRef(method: 'ref' | 'unref'): void {
    const [input, output] = [this.#input, this.#output] as { ref?: () => void; unref?: () => void }[];
    input?.[method]?.();
    if (output !== input) output?.[method]?.();
  }
}

function unreadable(cause: unknown): LinkError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LinkError(`A frame of the other side could not be read: ${why}.`, {}, { cause });
}

function failed(cause: Error): LinkError {
  return new LinkError(`The stream failed: ${cause.message}`, {}, { cause });
}

function encode(frame: unknown): Buffer {
  let serializer: FrameSerializer;
  try {
    const plain = plainFrame(frame);
    if (plain !== null) return plain;
    serializer = new FrameSerializer();
    serializer.writeHeader();
    serializer.writeValue(frame);
  } catch (error) {
    throw cloneFailure(error);
  }
  const bytes = serializer.releaseBuffer();
  if (bytes.length > longest) throw new DOMException(`A frame of ${bytes.length} bytes is too long.`, 'DataCloneError');
  const whole = Buffer.allocUnsafe(headerSize + bytes.length);
  writeHeader(whole, bytes.length);
  bytes.copy(whole, headerSize);
  return whole;
}

function decode(bytes: Buffer): unknown {
  const plain = plainRow(bytes);
  if (plain !== undefined) return plain;
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}
