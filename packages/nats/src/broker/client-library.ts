import { NatsUnavailableError } from '../basics/errors.ts';
import type { BrokerHeaders, NatsConnectionLike } from './connection.ts';

/** What is used of `@nats-io/transport-node`. */
export interface TransportLibrary {
  headers(): BrokerHeaders;
  connect(options: Readonly<Record<string, unknown>>): Promise<NatsConnectionLike>;
}

/** Asked for with every message that has headers, and an import that was made before is still one to look for. */
let transport: TransportLibrary | null = null;

/**
 * The client's packages are optional peers: whoever brings a connection, or uses no queue, needs fewer.
 *
 * @throws NatsUnavailableError that says how to install it
 */
export async function loadTransport(): Promise<TransportLibrary> {
  transport ??= await load<TransportLibrary>('@nats-io/transport-node', () => import('@nats-io/transport-node'));
  return transport;
}

/** @returns null if it was never loaded */
export function loadedTransport(): TransportLibrary | null {
  return transport;
}

async function load<Library>(name: string, run: () => Promise<unknown>): Promise<Library> {
  try {
    return (await run()) as Library;
  } catch (cause) {
    throw new NatsUnavailableError(
      `${name} can't be loaded: ${(cause as Error).message}. Install it: npm install ${name}@3.3.1`,
      {},
      { cause },
    );
  }
}
