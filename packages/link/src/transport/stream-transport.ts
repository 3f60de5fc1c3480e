import type { Readable, Writable } from 'node:stream';
import { DefaultSerializer, deserialize } from 'node:v8';
import { LinkError } from '../wire/errors.ts';
import { outsideContexts } from '../wire/portable.ts';
import { FrameReader } from './frame-reader.ts';
import { cloneFailure, type Transport } from './transport.ts';

/** Bytes of a frame's length, in front of it. */
const prefix = 4;
/** Bytes; what a length of four bytes can say. */
const longest = 0xffff_ffff;

/** A serialiser whose failures are those of structured clone. */
class FrameSerializer extends DefaultSerializer {
  // Named by Node: what is thrown for a value that can't be copied.
  _getDataCloneError(message: string): DOMException {
    return new DOMException(message, 'DataCloneError');
  }
}

/**
 * Lets a pair of Node streams carry a link: the pipes of a child process, a socket.
 *
 * Each frame is its length, in four bytes with the highest first, and the value as `v8.serialize` writes it: both ends
 * must run versions of Node.js that read each other's. What is transferred is copied, then detached here.
 *
 * @example
 * ```ts
 * const child = spawn(process.execPath, ['index-bus.js'], { stdio: ['pipe', 'pipe', 'inherit'] });
 * const index = await linkBuses(main, streamTransport(child.stdout, child.stdin));
 * // index-bus.js: linkBuses(bus, streamTransport(process.stdin, process.stdout));
 * ```
 */
export function streamTransport(input: Readable, output: Writable): Transport {
  let over = false;
  let lost: (error: Error) => void = () => undefined;
  const end = (error: Error): void => {
    if (over) return;
    over = true;
    lost(error);
  };
  return {
    open(receive, onLost) {
      lost = onLost;
      const reader = new FrameReader(prefix, (bytes) => {
        if (!over) receive(deserialize(bytes));
      });
      outsideContexts(() => {
        input.on('data', (chunk: Buffer) => {
          if (over) return;
          try {
            reader.read(chunk);
          } catch (cause) {
            end(new LinkError('A frame of the other side could not be read.', {}, { cause }));
          }
        });
        input.on('end', () => end(new LinkError('The stream of the other side has ended.')));
        for (const stream of [input, output]) {
          stream.on('error', (cause) => end(new LinkError(`The stream failed: ${cause.message}`, {}, { cause })));
          stream.on('close', () => end(new LinkError('The stream was closed.')));
        }
      });
    },
    send(frame, transfer) {
      if (over) return;
      output.write(encode(frame));
      // Copied already: all that is left of moving is that the sender loses them.
      for (const item of transfer) structuredClone(item, { transfer: [item] });
    },
    close() {
      over = true;
      output.end();
      input.destroy();
    },
    ref: () => setRef(input, output, 'ref'),
    unref: () => setRef(input, output, 'unref'),
  };
}

function encode(frame: unknown): Buffer {
  const serializer = new FrameSerializer();
  try {
    serializer.writeHeader();
    serializer.writeValue(frame);
  } catch (error) {
    throw cloneFailure(error);
  }
  const bytes = serializer.releaseBuffer();
  if (bytes.length > longest) throw new DOMException(`A frame of ${bytes.length} bytes is too long.`, 'DataCloneError');
  const whole = Buffer.allocUnsafe(prefix + bytes.length);
  whole.writeUInt32BE(bytes.length);
  bytes.copy(whole, prefix);
  return whole;
}

/** Sockets and pipes of processes have both; other streams keep nothing alive. */
function setRef(input: Readable, output: Writable, method: 'ref' | 'unref'): void {
  for (const stream of [input, output] as { ref?: () => void; unref?: () => void }[]) stream[method]?.();
}
