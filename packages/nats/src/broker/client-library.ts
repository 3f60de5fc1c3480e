import { NatsUnavailableError } from '../basics/errors.ts';
import type { BrokerHeaders, NatsConnectionLike } from './connection.ts';

/** What is used of `@nats-io/transport-node`. */
export interface TransportLibrary {
  headers(): BrokerHeaders;
  connect(options: Readonly<Record<string, unknown>>): Promise<NatsConnectionLike>;
}

/**
 * The client's packages are optional peers: whoever brings a connection, or uses no queue, needs fewer.
 *
 * @throws NatsUnavailableError that says how to install it
 */
export async function loadTransport(): Promise<TransportLibrary> {
  return load('@nats-io/transport-node', () => import('@nats-io/transport-node'));
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
