import type { BaseEvent } from '../event/base-event.ts';
import type { EventResult } from '../event/event-result.ts';
import type { Logger } from '../basics/logger.ts';
import { lifecycleOf } from '../event/result-helpers.ts';
import { startTimer } from '../basics/timer.ts';

/** What the watch looks at: the events that one bus holds. */
export interface EventHolder {
  readonly name: string;
  readonly logger: Logger;
  readonly size: number;
  /** Every so many-th of them. */
  everyNth(step: number): readonly BaseEvent[];
}

const warnAbove = 50 * 1024 * 1024;
/** Seconds between a dispatch and the look that follows it. */
const delay = 5;
/** How many events of a bus are measured; the rest is taken to be like them. */
const sample = 64;
/** How many values of one event are looked at. */
const valuesPerEvent = 2_000;

/**
 * Warns when all buses of this thread together hold more than 50 MB, as bubus does; the sizes are estimates.
 *
 * Looks at most once in five seconds, and only when something was dispatched since.
 */
export class MemoryWatch {
  readonly #holders: () => Iterable<EventHolder>;
  #armed = false;
  #warned = false;

  constructor(holders: () => Iterable<EventHolder>) {
    this.#holders = holders;
  }

  /** Something was dispatched. */
  touch(): void {
    if (this.#armed) return;
    this.#armed = true;
    startTimer(delay, () => this.#look(), false);
  }

  #look(): void {
    this.#armed = false;
    const sizes = [...this.#holders()].map((holder) => ({ holder, bytes: measure(holder) }));
    const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total <= warnAbove) {
      this.#warned = false;
      return;
    }
    if (this.#warned) return;
    this.#warned = true;
    sizes.sort((a, b) => b.bytes - a.bytes);
    const biggest = sizes
      .slice(0, 3)
      .map(({ holder, bytes }) => `${holder.name} ${megabytes(bytes)} (${holder.size} events)`);
    sizes[0]?.holder.logger.warn(
      `All buses of this thread together hold about ${megabytes(total)} of events, more than ${megabytes(warnAbove)}; the biggest: ${biggest.join(', ')}. Lower maxHistorySize, keep big values out of events, or free a bus with stop({ clear: true }).`,
    );
  }
}

function measure(holder: EventHolder): number {
  const measured = holder.everyNth(Math.ceil(holder.size / sample)).map(sizeOf);
  const bytes = measured.reduce((sum, size) => sum + size, 0);
  return measured.length === 0 ? 0 : (bytes * holder.size) / measured.length;
}

/** An estimate in bytes: of the event's payload and its results. */
function sizeOf(event: BaseEvent): number {
  const results = (lifecycleOf(event).results as readonly EventResult[]).map(({ result }) => result);
  const values: unknown[] = [{ ...event }, ...results];
  const seen = new Set<object>();
  let bytes = 500;
  for (let i = 0; i < values.length && i < valuesPerEvent; i += 1) {
    const value = values[i];
    if (typeof value === 'string') bytes += value.length;
    else if (typeof value !== 'object' || value === null) bytes += 8;
    else if (ArrayBuffer.isView(value)) bytes += value.byteLength;
    else if (!seen.has(value)) {
      seen.add(value);
      bytes += 32;
      try {
        if (value instanceof ArrayBuffer) bytes += value.byteLength;
        else values.push(...membersOf(value));
      } catch {
        // A proxy that was revoked, or whose traps throw: nobody can tell what it holds.
      }
    }
  }
  return bytes;
}

function membersOf(value: object): unknown[] {
  if (value instanceof Map) return [...value].flat().slice(0, valuesPerEvent);
  if (value instanceof Set) return [...value].slice(0, valuesPerEvent);
  if (Array.isArray(value)) return value.slice(0, valuesPerEvent);
  // Looked at without being read: a getter is the user's code, and may throw.
  return Object.values(Object.getOwnPropertyDescriptors(value))
    .slice(0, valuesPerEvent)
    .map((property) => property.value as unknown);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}
