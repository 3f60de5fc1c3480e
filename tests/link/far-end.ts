import type { MessagePort } from 'node:worker_threads';
import { hello } from '../../packages/link/dist/wire/handshake.js';
import { endOf } from '../../packages/link/dist/wire/protocol.js';

/** The other end of a link, as the wire sees it: says and hears operations, and nothing of its own accord. */
export class FarEnd {
  readonly port: MessagePort;
  #frames = 0;

  constructor(port: MessagePort, onOperation: (operation: readonly unknown[]) => void = () => undefined) {
    this.port = port;
    port.on('message', (frame: unknown[]) => {
      const end = frame.length - 1;
      for (let at = 0; at < end; at = endOf(frame, at)) onOperation(frame.slice(at, endOf(frame, at)));
    });
  }

  /** Introduces itself. */
  greet(name: string, id = `${name} id`): void {
    this.send(...hello({ name, id }));
  }

  /** Sends operations as one frame. */
  send(...operations: readonly unknown[]): void {
    this.#frames += 1;
    this.port.postMessage([...operations, this.#frames]);
  }
}
