/**
 * What carries a session's packets: each arrives whole or not at all, perhaps twice, late, or before an earlier one.
 */
export interface Datagrams {
  /** Bytes of a packet at most. */
  readonly maxSize: number;
  /** False while nothing can leave: what is sent then is lost. */
  readonly isUp: boolean;
  /** Begins to read; `restored` is told when packets can leave again. Called once. */
  open(receive: (packet: Uint8Array) => void, restored: () => void): void;
  /** @throws for what can never leave */
  send(packet: Uint8Array): void;
  /** Reads nothing any more. */
  close(): void;
}
