import type { Transport } from '@threadbus/link';

type Listener = ((event: { data: unknown }) => void) | { handleEvent(event: { data: unknown }): void };

/** Makes an endpoint for comlink of a transport that is open: what comes is handed to `receive`. */
export class StreamEndpoint {
  readonly #transport: Transport;
  readonly #listeners = new Set<Listener>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** A message of the other side. */
  receive(data: unknown): void {
    for (const listener of [...this.#listeners]) {
      if (typeof listener === 'function') listener({ data });
      else listener.handleEvent({ data });
    }
  }

  postMessage(message: unknown): void {
    this.#transport.send(message, []);
  }

  addEventListener(_type: string, listener: Listener): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_type: string, listener: Listener): void {
    this.#listeners.delete(listener);
  }
}
