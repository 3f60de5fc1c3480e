import { checkOptions, checkLimit, defaultLogger, describe } from '@threadbus/core/internal';
import { NatsUnavailableError } from './basics/errors.ts';
import { endsWithin, pause } from './basics/waits.ts';
import { checkPlainName } from './basics/names.ts';
import { Broker } from './broker/broker.ts';
import { loadTransport } from './broker/client-library.ts';
import type { NatsConnectionLike } from './broker/connection.ts';
import { NatsNet } from './nats-net.ts';

/** Options of `connectNats`. */
export interface ConnectOptions {
  /** What belongs together: 1 to 64 letters, digits, "_" or "-". */
  readonly namespace: string;
  /** Addresses of the NATS servers. @default 'nats://127.0.0.1:4222', unless a connection is given */
  readonly servers?: string | readonly string[] | undefined;
  /** A connection of your own, which stays yours to close. @default one is made */
  readonly connection?: NatsConnectionLike | undefined;
  /** Seconds to try to connect. @default 10 */
  readonly connectTimeout?: number | undefined;
  /** Options of the NATS client, as they are: credentials, TLS. @default {} */
  readonly nats?: Readonly<Record<string, unknown>> | undefined;
}

/** Milliseconds between two tries. */
const betweenTries = 250;
const defaultServer = 'nats://127.0.0.1:4222';

/**
 * Connects to NATS. Once connected, it reconnects without end: links survive a restart of the broker.
 *
 * @returns the net: serve buses, join those of others
 * @throws NatsUnavailableError if no server takes the connection within `connectTimeout`, or refuses it, or the client
 *   isn't installed; TypeError for options that make no sense
 * @example
 * ```ts
 * await using net = await connectNats({ servers: 'nats://broker:4222', namespace: 'shop' });
 * const index = await net.join(main, 'Index');
 * ```
 */
export async function connectNats(options: ConnectOptions): Promise<NatsNet> {
  checkOptions('connectNats', options, ['namespace', 'servers', 'connection', 'connectTimeout', 'nats']);
  const namespace = checkPlainName('namespace', options.namespace);
  const timeout = checkLimit('connectTimeout (seconds)', options.connectTimeout ?? 10) ?? Infinity;
  const { connection, nats = {}, servers } = options;
  if (typeof nats !== 'object' || nats === null) {
    throw new TypeError(`Expected nats to be an object with options of the NATS client; got ${describe(nats)}.`);
  }
  if (connection === undefined) {
    const all = checkServers(servers ?? defaultServer);
    return NatsNet.over(new Broker(await connect(all, nats, timeout), true), namespace);
  }
  if (servers !== undefined || options.nats !== undefined) {
    throw new TypeError('Expected either connection, or servers and nats: a given connection has its own.');
  }
  return NatsNet.over(new Broker(checkConnection(connection), false), namespace);
}

async function connect(
  servers: readonly string[],
  nats: Readonly<Record<string, unknown>>,
  timeout: number,
): Promise<NatsConnectionLike> {
  const library = await loadTransport();
  const until = performance.now() + timeout * 1000;
  const ours = {
    reconnect: true,
    maxReconnectAttempts: -1,
    // A server that is set up anew may refuse for a while.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: betweenTries,
    reconnectJitter: betweenTries,
  };
  for (;;) {
    const left = until - performance.now();
    try {
      const limit = Math.max(1, Math.min(left, 2 ** 31 - 1));
      const connecting = library.connect({ ...ours, timeout: limit, ...nats, servers: [...servers] });
      // The client's limit is for each server.
      if (await endsWithin(connecting, until, undefined)) return await connecting;
      void connecting.then(
        (late) => late.close(),
        () => undefined,
      );
      throw new ConnectTimeout(`no answer within ${timeout} s`);
    } catch (cause) {
      const isFinal = !isAbsence(cause);
      if (!isFinal && until - performance.now() > betweenTries) {
        await pause(betweenTries / 1000);
        continue;
      }
      const text = isFinal ? 'refused the connection' : `could not be reached within ${timeout} s`;
      const fix = isFinal ? '' : '. Is a server running there? nats-server -js starts one on port 4222.';
      throw new NatsUnavailableError(
        `NATS at ${servers.join(', ')} ${text}: ${(cause as Error).message}${fix}`,
        {},
        { cause },
      );
    }
  }
}

class ConnectTimeout extends Error {
  override readonly name = 'TimeoutError';
}

/** Nobody answers (yet), as against a server that says no. */
function isAbsence(error: unknown): boolean {
  const { name, code } = error as { name?: unknown; code?: unknown };
  const codes = [
    'ECONNREFUSED',
    'ECONNRESET',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ETIMEDOUT',
    'EPIPE',
  ];
  return name === 'ConnectionError' || name === 'TimeoutError' || codes.includes(String(code));
}

function checkServers(servers: unknown): string[] {
  const all: unknown[] = Array.isArray(servers) ? servers : [servers];
  if (all.length > 0 && all.every((server) => typeof server === 'string' && server !== '')) return all as string[];
  throw new TypeError(
    `Expected servers to be an address, such as 'nats://broker:4222', or several; got ${describe(servers)}.`,
  );
}

/** One whose settings break what is promised is used all the same: it is its owner's. */
function checkConnection(connection: NatsConnectionLike): NatsConnectionLike {
  if (typeof connection !== 'object' || connection === null || typeof connection.subscribe !== 'function') {
    throw new TypeError(
      `Expected connection to be one of @nats-io/transport-node, as await connect({ servers }) gives it; got ${describe(connection)}.`,
    );
  }
  if (connection.isClosed())
    throw new NatsUnavailableError('The connection is closed. Make another: await connect({ servers }).');
  const { reconnect, maxReconnectAttempts, noEcho } = settingsOf(connection);
  const bad: string[] = [];
  if (reconnect === false) bad.push('reconnect: false (links end with the first cut; use true)');
  if (typeof maxReconnectAttempts === 'number' && maxReconnectAttempts >= 0) {
    bad.push(`maxReconnectAttempts: ${maxReconnectAttempts} (then it gives up for good; use -1)`);
  }
  if (noEcho === true) bad.push('noEcho: true (buses of this process do not hear each other; use false)');
  if (bad.length > 0) defaultLogger().warn(`connectNats got a connection with ${bad.join(', and ')}.`);
  return connection;
}

function settingsOf(connection: object): Readonly<Record<string, unknown>> {
  const { options } = connection as { options?: unknown };
  return typeof options === 'object' && options !== null ? (options as Record<string, unknown>) : {};
}
