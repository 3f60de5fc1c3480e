import type { BaseEvent } from '../event/base-event.ts';
import type { BusIdentity } from '../event/bus-names.ts';

/** Knows the events of a linked bus by id: one event may be several objects in this thread, if it came on several ways. */
export interface Twins {
  /** What marks events that crossed the bus's own links. */
  readonly key: object;
  /** The bus has had the event as another object; if not, the bus's links know it from now on. */
  isTwin(event: BaseEvent, bus: Readonly<BusIdentity>): boolean;
  /** The bus takes its so many-th event. */
  took(arrival: number): void;
  /** The event is complete. */
  left(event: BaseEvent): void;
}
