import type { BaseEvent } from '@threadbus/core';

/** What one thread has decided of an event, and those that it comes to are to know. */
export interface EventMark {
  /** The same in all threads. */
  readonly name: string;
  /** Plain data that goes with the event; undefined for none. */
  of(event: BaseEvent): unknown;
  /** An event has come over a link. @param value undefined if it has no mark, or nobody there makes them */
  arrived(event: BaseEvent, value: unknown, link: object): void;
}

const marks = new Map<string, EventMark>();

/** @returns takes it away again */
export function registerEventMark(mark: EventMark): () => void {
  marks.set(mark.name, mark);
  return () => {
    if (marks.get(mark.name) === mark) marks.delete(mark.name);
  };
}

/** Puts the marks of an event to what else goes with it. @returns null if there is nothing at all */
export function withMarks(event: BaseEvent, values: Record<string, unknown> | null): Record<string, unknown> | null {
  if (marks.size === 0) return values;
  let all = values;
  for (const mark of marks.values()) {
    const value = mark.of(event);
    if (value !== undefined) (all ??= {})[mark.name] = value;
  }
  return all;
}

export function marksArrived(event: BaseEvent, values: Readonly<Record<string, unknown>> | null, link: object): void {
  if (marks.size === 0) return;
  for (const mark of marks.values()) mark.arrived(event, values?.[mark.name], link);
}
