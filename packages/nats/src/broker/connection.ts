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
  readonly info?:
    | { readonly max_payload: number; readonly version: string; readonly cluster?: string | undefined }
    | undefined;
  /** Sends a message; nobody says whether it arrived. */
  publish(subject: string, payload?: Uint8Array, options?: { reply?: string }): void;
  /** Listens to a subject. */
  subscribe(
    subject: string,
    options?: { queue?: string; callback?: (error: Error | null, message: BrokerMessage) => void },
  ): { unsubscribe(): void };
  /** Resolves when the server has read what was sent. */
  flush(): Promise<void>;
  /** Closes the connection once everything has left. */
  drain(): Promise<void>;
  /** Closes the connection at once. */
  close(): Promise<void>;
  /** Resolves when the connection is closed for good. */
  closed(): Promise<Error | void>;
  /** Whether it is closed for good. */
  isClosed(): boolean;
  /** What happens to the connection, as it does. */
  status(): AsyncIterable<{ readonly type: string }>;
}
