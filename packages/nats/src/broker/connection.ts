/** Headers of a message, as the client's `headers()` makes them. */
export interface BrokerHeaders {
  readonly code: number;
  readonly description: string;
  get(name: string): string;
  set(name: string, value: string): void;
}

/** What of a message is read. */
export interface BrokerMessage {
  readonly subject: string;
  readonly reply?: string | undefined;
  readonly data: Uint8Array;
  readonly headers?: BrokerHeaders | undefined;
}

/**
 * What is used of a connection of `@nats-io/transport-node`: every NatsConnection fits.
 *
 * One that is given to `connectNats` stays its owner's: threadbus doesn't close it.
 */
export interface NatsConnectionLike {
  /** What the server has told of itself. */
  readonly info?: { readonly max_payload: number; readonly version: string } | undefined;
  publish(subject: string, payload?: Uint8Array, options?: { reply?: string }): void;
  subscribe(
    subject: string,
    options?: { queue?: string; callback?: (error: Error | null, message: BrokerMessage) => void },
  ): { unsubscribe(): void };
  request(
    subject: string,
    payload?: Uint8Array,
    options?: { timeout: number; headers?: never },
  ): Promise<BrokerMessage>;
  flush(): Promise<void>;
  drain(): Promise<void>;
  close(): Promise<void>;
  closed(): Promise<Error | void>;
  isClosed(): boolean;
  status(): AsyncIterable<{ readonly type: string }>;
}
