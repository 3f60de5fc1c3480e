import type { BaseEvent, EventConstructor } from '@threadbus/core';
import { errorText } from '@threadbus/core/internal';

/** The class that an event has on this side can't make it of what came. */
export class RestoreError extends Error {
  /** The event all the same, of no class. */
  readonly event: BaseEvent;

  constructor(event: BaseEvent, { name }: EventConstructor, cause: unknown) {
    super(
      `${event.event_type} came over a link and can't be made an instance of ${name}: ${errorText(cause)} Let its constructor pass on both arguments to super, and declare fields without accessors of their own.`,
      { cause },
    );
    this.name = 'RestoreError';
    this.event = event;
  }
}

/** @returns the event of a RestoreError, and that error; throws any other */
export function unrestored(error: unknown): [event: BaseEvent, failure: RestoreError] {
  if (!(error instanceof RestoreError)) throw error;
  return [error.event, error];
}
