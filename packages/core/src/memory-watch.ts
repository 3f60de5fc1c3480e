import type { BaseEvent } from './base-event.ts';
import type { Logger } from './logger.ts';
import { startTimer } from './timer.ts';

/** What the watch looks at: the events that one bus holds. */
export interface EventHolder {
  readonly name: string;
  readonly logger: Logger;
  heldEvents(): readonly BaseEvent[];
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
    const sizes = [...this.#holders()].map((holder) => ({ holder, ...measure(holder.heldEvents()) }));
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
      .map(({ holder, bytes, events }) => `${holder.name} ${megabytes(bytes)} (${events} events)`);
    sizes[0]?.holder.logger.warn(
      `All buses of this thread together hold about ${megabytes(total)} of events, more than ${megabytes(warnAbove)}; the biggest: ${biggest.join(', ')}. Lower maxHistorySize, keep big values out of events, or free a bus with stop({ clear: true }).`,
    );
  }
}

function measure(events: readonly BaseEvent[]): { bytes: number; events: number } {
  const step = Math.max(1, Math.floor(events.length / sample));
  let bytes = 0;
  let measured = 0;
  for (let i = 0; i < events.length; i += step) {
    bytes += sizeOf(events[i]);
    measured += 1;
  }
  return { bytes: measured === 0 ? 0 : (bytes * events.length) / measured, events: events.length };
}

/** An estimate in bytes: of the event's payload and its results. */
function sizeOf(event: BaseEvent | undefined): number {
  if (event === undefined) return 0;
  const results = [...event.event_results.values()].map(({ result }) => result);
  const values: unknown[] = [{ ...event }, ...results];
  const seen = new Set<object>();
  let bytes = 500;
  for (let i = 0; i < values.length && i < valuesPerEvent; i += 1) {
    const value = values[i];
    if (typeof value === 'string') bytes += value.length;
    else if (typeof value !== 'object' || value === null) bytes += 8;
    else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) bytes += value.byteLength;
    else if (!seen.has(value)) {
      seen.add(value);
      bytes += 32;
      values.push(...membersOf(value));
    }
  }
  return bytes;
}

function membersOf(value: object): unknown[] {
  if (value instanceof Map) return [...value].flat().slice(0, valuesPerEvent);
  if (value instanceof Set) return [...value].slice(0, valuesPerEvent);
  return Object.values(value).slice(0, valuesPerEvent);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`;
}
