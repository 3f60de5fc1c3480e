import { BaseEvent, EventBus, isBusError } from '@threadbus/core';
import { HandlerPool, WorkerBus } from '@threadbus/worker';
import { afterAll, expect, test } from 'vitest';
import handle, { unreadable } from '../fixtures/worker/unreadable.ts';
import { fixtureUrl } from '../helpers/fixture.ts';
import { sharedCounter } from '../helpers/shared-counter.ts';

type Place = Pick<EventBus, 'dispatch'>;

/** The handler of what can't be looked at: here, in a pool, on a worker's bus, in a process. */
async function places(): Promise<Record<string, Place>> {
  // Not quiet: what is logged looks at errors, too.
  const lines: string[] = [];
  const add = (line: string): void => void lines.push(line);
  const logger = { debug: add, info: add, warn: add, error: add };
  const here = new EventBus({ name: 'Here', logger });
  here.on('Act', handle);
  const pooled = new EventBus({ name: 'Pooled', logger });
  const pool = new HandlerPool({ maxThreads: 1 });
  pooled.on('Act', pool.handler(fixtureUrl('worker/unreadable')));
  const parent = new EventBus({ name: 'UnreadableParent', logger });
  const entry = fixtureUrl('worker/unreadable-bus');
  const thread = await WorkerBus.start(entry, { parent, restart: 'never' });
  const process = await WorkerBus.start(entry, { parent, restart: 'never', isolation: 'process' });
  afterAll(async () => {
    for (const each of [here, pooled, pool, thread, process, parent]) await each.stop();
  });
  return { here, pooled, thread, process };
}

/** They outlive all of it. */
const all = await places();

function act(what: string, how: string, begun: SharedArrayBuffer | null = null): BaseEvent {
  return new BaseEvent({ act: how, what, begun }, { event_type: 'Act', event_timeout: 60 });
}

/** How it ended, and that it can be told. */
async function endOf(place: Place, event: BaseEvent, signal?: AbortSignal): Promise<string> {
  await place.dispatch(event, { signal });
  const [result] = event.event_results.values();
  expect(`${result?.toString()} ${event.toString()}`).toContain('Act');
  if (result?.status !== 'error') return result?.status ?? 'no result';
  expect(isBusError(result.error) || result.error instanceof Error).toBe(true);
  return (result.error as Error).name;
}

test.each(Object.keys(unreadable))(
  'unreadable - %s: thrown, returned and rejected ends one event everywhere, and crashes nothing',
  async (what) => {
    for (const [name, place] of Object.entries(all)) {
      for (const how of ['throw', 'return', 'resolve to a list', 'reject']) {
        const end = await endOf(place, act(what, how));
        expect(`${name}, ${how}: ${end}`).not.toMatch(/WorkerCrashed|HandlerTimeout|no result/);
        expect(end === 'completed' && how !== 'return' && how !== 'resolve to a list').toBe(false);
      }
      expect(await place.dispatch(act(what, 'fine')).eventResult()).toBe('fine');
    }
  },
);

test.each(Object.keys(unreadable))(
  'unreadable - %s: as the reason of an abort it ends a handler, begun or not, everywhere',
  async (what) => {
    for (const [name, place] of Object.entries(all)) {
      const now = new AbortController();
      const [early, late] = [act(what, 'wait'), act(what, 'wait')];
      const ends = [endOf(place, early, now.signal), endOf(place, late, now.signal)];
      now.abort((unreadable[what] as () => unknown)());
      for (const end of await Promise.all(ends)) expect(`${name}: ${end}`).toMatch(/HandlerCancelled|HandlerAborted/);
      // Nobody outside of a process sees when it is at work.
      if (name === 'process') continue;
      const begun = new AbortController();
      const counter = sharedCounter();
      const end = endOf(place, act(what, 'wait', counter.buffer), begun.signal);
      await counter.reached(1);
      begun.abort((unreadable[what] as () => unknown)());
      expect(`${name}: ${await end}`).toBe(`${name}: HandlerAbortedError`);
      expect(await place.dispatch(act(what, 'fine')).eventResult()).toBe('fine');
    }
  },
);
