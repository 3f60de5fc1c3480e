import type { BaseEvent, EventResult } from '@threadbus/core';
import { payloadOf } from '@threadbus/core/internal';
import { EventBus } from '@threadbus/core/internal/bus';
import type { Answer, Order } from '../basics/messages.ts';
import type { Redact } from '../basics/redact.ts';
import { errorText, Showing } from '../basics/show.ts';
import type { KeptEvents } from './kept-events.ts';

/** Results that are told of one event. */
const mostResults = 200;

/** What somebody who has opened an event is told, or does with it. */
export function answer({ what, id }: Extract<Order, { kind: 'ask' }>, events: KeptEvents, redact: Redact): Answer {
  const event = events.get(id);
  if (event === undefined) return null;
  if (what === 'dispatch') return dispatchAgain(event);
  const results = [...event.event_results.values()].slice(0, mostResults);
  return {
    payload: new Showing(redact).show('event.payload', payloadOf(event)),
    results: results.map((result, index) => ({
      id: result.handler_id,
      value: result.status === 'completed' ? valueOf(result, index, redact) : null,
      error: result.status === 'error' ? errorText(result.error, `event.results.${index}.error`, redact) : null,
    })),
  };
}

function valueOf({ result }: EventResult, index: number, redact: Redact): ReturnType<Showing['show']> {
  return new Showing(redact).show(`event.results.${index}.result`, result);
}

/** A new event of the same class and payload, on the bus that had it first, if that is one of this thread. */
function dispatchAgain(event: BaseEvent): Answer {
  const [name] = event.event_path;
  const bus = [...EventBus.allInstances].find((each) => each.name === name);
  if (bus === undefined) return { refused: `There is no bus ${name ?? ''} in the thread that has the event.` };
  const EventClass = event.constructor as new (payload: object, fields: object) => BaseEvent;
  try {
    const again = new EventClass(payloadOf(event), { event_type: event.event_type });
    bus.dispatch(again, { detached: true });
    return { dispatched: again.event_id };
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
}
