import type { Subscription } from '@threadbus/core';
import { encodeName } from '../basics/names.ts';
import { JetStreamError, wrongSequence } from '../jetstream/jetstream-error.ts';
import type { JetStream } from '../jetstream/jetstream.ts';

/** What a slot says of its holder. */
export interface SlotMark {
  /** Of the lease alone. */
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  readonly threadId: number;
  /** ISO 8601, by the holder's clock. */
  readonly since: string;
}

/** What all who use a name agree upon. */
export interface LimitConfig {
  /** Made with it: another one means that the store has forgotten. */
  readonly id: string;
  /** As it was made, and as `setLimit` has it now. */
  readonly declared: number;
  readonly limit: number;
  /** The highest limit that it ever had: so many slots may be held. */
  readonly most: number;
  readonly lease: number;
}

/** A key with its value and the number of its last change. */
export interface Entry<T> {
  readonly value: T | null;
  readonly revision: number;
}

/**
 * One semaphore's keys in the store: its settings, and one key for each slot. Every change names the revision that it
 * replaces, so that of two that change a key at once only one does.
 */
export class SlotStore {
  readonly #jetstream: JetStream;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(jetstream: JetStream, namespace: string, name: string) {
    this.#jetstream = jetstream;
    this.#bucket = `${namespace}_limits`;
    this.#prefix = `$KV.${this.#bucket}.${encodeName(name)}`;
  }

  get stream(): string {
    return `KV_${this.#bucket}`;
  }

  /** Makes the bucket, if there is none. */
  async open(): Promise<void> {
    await this.#jetstream.ensureStream({
      name: this.stream,
      subjects: [`$KV.${this.#bucket}.>`],
      max_msgs_per_subject: 1,
      discard: 'new',
      allow_rollup_hdrs: true,
    });
  }

  async exists(): Promise<boolean> {
    return (await this.#jetstream.stream(this.stream)) !== null;
  }

  keyOf(slot: number): string {
    return `${this.#prefix}.slot.${slot}`;
  }

  config(): Promise<Entry<LimitConfig>> {
    return this.#read<LimitConfig>(`${this.#prefix}.config`);
  }

  slot(slot: number): Promise<Entry<SlotMark>> {
    return this.#read<SlotMark>(this.keyOf(slot));
  }

  /** @returns the new revision; null if somebody has changed it meanwhile */
  writeConfig(config: LimitConfig, revision: number): Promise<number | null> {
    return this.#write(`${this.#prefix}.config`, config, revision);
  }

  /** @param mark null: free @returns the new revision; null if somebody has changed it meanwhile */
  writeSlot(slot: number, mark: SlotMark | null, revision: number): Promise<number | null> {
    return this.#write(this.keyOf(slot), mark, revision);
  }

  /** Told when any slot changes. */
  watch(changed: () => void): Subscription {
    return this.#jetstream.broker.subscribe(`${this.#prefix}.>`, changed);
  }

  async #read<T>(key: string): Promise<Entry<T>> {
    const message = await this.#jetstream.lastOf(this.stream, key);
    if (message === null) return { value: null, revision: 0 };
    const text = message.data.toString();
    return { value: text === '' ? null : (JSON.parse(text) as T), revision: message.sequence };
  }

  async #write(key: string, value: unknown, revision: number): Promise<number | null> {
    const data = value === null ? Buffer.alloc(0) : Buffer.from(JSON.stringify(value));
    const headers = {
      'Nats-Expected-Last-Subject-Sequence': `${revision}`,
      ...(value === null && { 'KV-Operation': 'DEL' }),
    };
    try {
      return (await this.#jetstream.publish(key, data, headers, 2)).sequence;
    } catch (error) {
      if (error instanceof JetStreamError && error.number === wrongSequence) return null;
      throw error;
    }
  }
}
