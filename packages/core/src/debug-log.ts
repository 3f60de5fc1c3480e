import type { BaseEvent } from './base-event.ts';
import type { Logger } from './logger.ts';
import type { BusObserver } from './observer.ts';

/** Writes every step of every event to the logger; used at THREADBUS_LOG_LEVEL=debug. */
export function debugLog(busName: string, logger: Logger): BusObserver {
  const say = (event: BaseEvent, what: string): void =>
    logger.debug(`${busName} ${event.event_type}#${event.event_id.slice(-4)} ${what}`);
  return {
    dispatched: (event) => say(event, 'dispatched'),
    started: (event) => say(event, 'started'),
    handlerStarted: (event, { handler_name }) => say(event, `▶ ${handler_name}`),
    handlerEnded: (event, { handler_name, status }) => say(event, `◀ ${handler_name}: ${status}`),
    completed: (event) => say(event, 'completed'),
    stopped: () => logger.debug(`${busName} stopped`),
  };
}
