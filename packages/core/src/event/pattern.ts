import { BaseEvent, type EventConstructor } from './base-event.ts';
import { describe } from '../basics/describe.ts';
import { checkEventType } from './event-fields.ts';

/** What a handler is registered for: a class of events (matched by its type), a type, or '*' for all. */
export type EventPattern = EventConstructor | string;

/** The type that a pattern stands for, or '*'. */
export function patternKey(pattern: unknown): string {
  if (pattern === '*') return pattern;
  if (typeof pattern === 'string') return checkEventType(pattern);
  if (typeof pattern === 'function' && (pattern === BaseEvent || pattern.prototype instanceof BaseEvent)) {
    return (pattern as typeof BaseEvent).event_type;
  }
  throw new TypeError(
    `Expected a pattern to be an event class, an event type such as 'UserCreated', or '*'; got ${describe(pattern)}.`,
  );
}
