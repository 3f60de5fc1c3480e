import type { EventResult } from '@threadbus/core';
import type { RemotePart } from './remote-part.ts';

/** Where the other side shows which events it has started, by their numbers. */
export interface StartedBoard {
  /** The number is to be used for another event. */
  clear(number: number): void;
}

/** Measures what goes out and comes back, where somebody wants to know. */
export interface PartMeter {
  /** It leaves for the other side. */
  sent(part: RemotePart): void;
  /** The other side has said of an event that it can't read it. */
  unread(): void;
  settled(part: RemotePart, results: readonly EventResult[], answered: boolean): void;
}
