import type { EventRecord } from '../basics/records.ts';

/** How far an event is, in one word. */
export type State = 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost';

export function stateOf({ outcome, done, calls }: EventRecord): State {
  if (done !== null) return outcome ?? 'succeeded';
  return calls.some(({ status }) => status === 'error' || status === 'lost') ? 'failed' : 'running';
}

/** Whether an event is one that somebody looks for. */
export type Filter = (event: EventRecord) => boolean;

/**
 * `type:` and `bus:` (parts of the name), `status:` (a state), `handler:`, `thread:`, `slower:` (milliseconds), and words,
 * which are looked for in type, id and buses; all of them have to fit. A minus in front turns one around.
 */
export function filterOf(text: string): Filter {
  const tests = text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(testOf);
  return (event) => tests.every((test) => test(event));
}

function testOf(word: string): Filter {
  if (word.startsWith('-') && word.length > 1) {
    const test = testOf(word.slice(1));
    return (event) => !test(event);
  }
  const [, name = '', value = ''] = /^(type|bus|status|handler|thread|slower):(.*)$/.exec(word) ?? [];
  const wanted = value.toLowerCase();
  const has = (part: string): boolean => part.toLowerCase().includes(wanted);
  switch (name) {
    case 'type':
      return ({ type }) => has(type);
    case 'bus':
      return ({ bus, path, calls }) => has(bus) || path.some(has) || calls.some((call) => has(call.bus));
    case 'status':
      return (event) => stateOf(event).startsWith(wanted === 'error' ? 'failed' : wanted);
    case 'handler':
      return ({ calls }) => calls.some(({ handler }) => has(handler));
    case 'thread':
      return ({ calls }) => calls.some(({ thread }) => String(thread) === wanted);
    case 'slower':
      return (event) => durationOf(event) >= Number(wanted);
    default:
      return ({ type, id, path }) =>
        [type, id, ...path].some((part) => part.toLowerCase().includes(word.toLowerCase()));
  }
}

/** Milliseconds so far, or in all. */
export function durationOf(event: EventRecord): number {
  const from = beginOf(event);
  return from === null ? 0 : Math.max(0, (event.done ?? Date.now()) - from);
}

/** When an event was dispatched, or is first known of. */
export function beginOf({ born, calls, done }: EventRecord): number | null {
  const times = calls.flatMap(({ called, started }) => [called, started]).filter((each) => each !== null);
  if (born !== null) return born;
  return times.length > 0 ? Math.min(...times) : done;
}
