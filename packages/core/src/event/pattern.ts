import { type AnyEvent, BaseEvent, type EventConstructor } from './base-event.ts';
import { describe } from '../basics/describe.ts';
import { isName, nameRule } from '../basics/names.ts';
import { anyType, prefixOf } from './type-pattern.ts';

/**
 * What a handler is registered for: a class of events (matched by its type), a type, `'user.*'` for all types under that
 * prefix at any depth, or `'*'` for all.
 */
export type EventPattern = EventConstructor | string;

/** The events that a pattern stands for: a class's; of a string only the type is known. */
export type EventOf<P> = P extends EventConstructor<infer E> ? E : AnyEvent;

/** The type that a pattern stands for, a prefix with `.*`, or '*'. */
export function patternKey(pattern: unknown): string {
  if (pattern === anyType) return pattern;
  if (typeof pattern === 'string') {
    const prefix = prefixOf(pattern);
    if (isName(prefix === null ? pattern : prefix.slice(0, -1))) return pattern;
    throw noPattern(pattern, ` Types are ${nameRule}.`);
  }
  if (typeof pattern === 'function' && (pattern === BaseEvent || pattern.prototype instanceof BaseEvent)) {
    return (pattern as typeof BaseEvent).event_type;
  }
  const hint = pattern instanceof BaseEvent ? ` That is an event: give its class, ${pattern.constructor.name}.` : '';
  throw noPattern(pattern, hint);
}

function noPattern(pattern: unknown, hint: string): TypeError {
  return new TypeError(
    `Expected a pattern to be an event class, an event type such as 'UserCreated', a prefix such as 'user.*', or '*'; got ${describe(pattern)}.${hint}`,
  );
}
