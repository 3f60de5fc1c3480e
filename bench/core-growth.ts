import { BaseEvent, EventBus, type EventBusOptions } from '@threadbus/core';
import { z } from 'zod';
import { contest } from './contest.ts';
import { check, type Contestant, type Load } from './scenario.ts';

const Step = BaseEvent.extend('Step', { n: z.number() });
const Other = BaseEvent.extend('Other', {});

interface Shape {
  /** A new set of buses after so many events. @default all */
  readonly events?: number;
  readonly buses?: number;
  /** Sent at once, then waited for. */
  readonly burst?: number;
  /** Of the events that are sent. */
  readonly handlers?: number;
  /** Of other events. */
  readonly others?: number;
  readonly options?: EventBusOptions;
}

/** Handler calls through buses in turn, in bursts. */
function calls({ events, buses = 1, burst = 100, handlers = 1, others = 0, options = {} }: Shape): Contestant {
  return async (size, measure) => {
    const total = size / handlers;
    const each = events ?? total;
    let handled = 0;
    for (let done = 0; done < total; done += each) {
      const all = Array.from({ length: buses }, () => new EventBus({ maxPending: null, ...options }));
      for (const bus of all) {
        for (let n = 0; n < handlers; n += 1) bus.on(Step, () => void (handled += 1));
        for (let n = 0; n < others; n += 1) bus.on(Other, () => {});
      }
      await measure(async () => send(all, Math.min(each, total - done), burst));
      for (const bus of all) await bus.stop({ clear: true });
    }
    check(handled, size);
  };
}

async function send(buses: readonly EventBus[], events: number, burst: number): Promise<void> {
  for (let n = 0; n < events;) {
    const bus = buses[Math.floor(n / burst) % buses.length] as EventBus;
    let last = bus.dispatch(new Step({ n }));
    for (n += 1; n % burst !== 0 && n < events; n += 1) last = bus.dispatch(new Step({ n }));
    await last;
  }
}

const shared = { unit: 'µs per handler call', ratio: '× as much', quick: 50_000 } as const;

function grows(size: number, [large, shape]: readonly [string, Shape], [small, from]: readonly [string, Shape]): Load {
  return { ...shared, name: large, size, contestants: { threadbus: calls(shape), [small]: calls(from) } };
}

/**
 * The same where the garbage collector has no reason to copy what is held: what is left is what the engine does. With
 * Node's own settings every event that is held for long is copied twice, whatever holds it.
 */
function uncollected(load: Load): Load {
  const nodeOptions = ['--min-semi-space-size=256', '--max-semi-space-size=256'];
  return { ...load, name: `${load.name}, large young generation`, nodeOptions };
}

const longHistory = grows(200_000, ['history of 10k', { options: { maxHistorySize: 10_000 } }], ['history of 50', {}]);
const manyBuses = grows(200_000, ['500 buses', { buses: 500 }], ['1 bus', {}]);
const longQueue = grows(100_000, ['queue of 100k against 100', { burst: 100_000 }], ['queue of 100', {}]);

/** What an event costs must not depend on how many there were, are remembered, are queued, or how many buses there are. */
export const growth = contest('core-growth', [
  grows(100_000, ['10k events', { events: 10_000 }], ['1k events', { events: 1_000 }]),
  grows(200_000, ['100k events', { events: 100_000 }], ['1k events', { events: 1_000 }]),
  grows(1_000_000, ['1M events', {}], ['1k events', { events: 1_000 }]),
  longHistory,
  uncollected(longHistory),
  manyBuses,
  uncollected(manyBuses),
  grows(
    200_000,
    ['500 buses, no history', { buses: 500, options: { maxHistorySize: 0 } }],
    ['1 bus, no history', { options: { maxHistorySize: 0 } }],
  ),
  grows(200_000, ["10k other events' handlers", { others: 10_000 }], ['no other handlers', {}]),
  grows(200_000, ['10k handlers of the event', { handlers: 10_000, burst: 1 }], ['1 handler', { burst: 1 }]),
  grows(100_000, ['queue of 100k', { burst: 100_000 }], ['queue of 1', { burst: 1 }]),
  longQueue,
  uncollected(longQueue),
]);
