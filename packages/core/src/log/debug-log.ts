import type { BaseEvent } from '../event/base-event.ts';
import { payloadOf } from '../event/event-json.ts';
import type { EventResult } from '../event/event-result.ts';
import { errorText, shownText } from '../basics/describe.ts';
import type { Logger } from '../basics/logger.ts';
import type { BusObserver } from '../event/observer.ts';
import { lifecycleOf, ResultHelpers } from '../event/result-helpers.ts';

/** Characters of a payload or a result. */
const longest = 100;

/**
 * Writes every step of every event to the logger; used at THREADBUS_LOG_LEVEL=debug.
 *
 * A line is the bus, the event (indented as deep as it is in the tree), what happened, and how long it took.
 */
export function debugLog(busName: string, logger: Logger): BusObserver {
  const say = (event: BaseEvent, what: string): void =>
    logger.debug(`${busName} ${'  '.repeat(lifecycleOf(event).depth)}${label(event)} ${what}`);
  return {
    dispatched: (event) => say(event, `dispatched ${short(payloadOf(event))}${parentText(event)}`),
    handlerStarted: (event, { handler_name }) => say(event, `▶ ${handler_name}`),
    handlerEnded: (event, result) => say(event, `◀ ${result.handler_name} ${outcome(result)}`),
    completed: (event) =>
      say(event, `completed${event.event_results.size === 0 ? ', no handler' : ''}${lasted(event)}`),
    stopped: () => logger.debug(`${busName} stopped`),
  };
}

function label({ event_type, event_id }: BaseEvent): string {
  return `${event_type}#${event_id.slice(-4)}`;
}

function parentText(event: BaseEvent): string {
  return event.event_parent_id === null ? '' : `, child of #${event.event_parent_id.slice(-4)}`;
}

function outcome({ status, error, result, started_at, completed_at }: EventResult): string {
  const time = seconds(started_at, completed_at);
  if (status === 'error') return `✗ ${errorText(error)}${time}`;
  return `→ ${result instanceof ResultHelpers ? 'forwarded' : short(result)}${time}`;
}

function lasted({ event_created_at, event_completed_at }: BaseEvent): string {
  return seconds(event_created_at, event_completed_at);
}

function seconds(from: string | null, to: string | null): string {
  return from === null || to === null ? '' : ` (${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(3)} s)`;
}

function short(value: unknown): string {
  const text = shownText(value, { depth: 1, breakLength: Infinity, maxStringLength: longest, maxArrayLength: 10 });
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
