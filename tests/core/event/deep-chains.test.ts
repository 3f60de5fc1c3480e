import { once } from 'node:events';
import { BaseEvent, BusStoppedError, type EventBus, HandlerAbortedError } from '@threadbus/core';
import { z } from 'zod';
import { expect, test, vi } from 'vitest';
import { gate, nextTurn } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { workOf } from '../../helpers/work.ts';

const depth = 10_000;
// Much to do for a machine that has other work.
vi.setConfig({ testTimeout: 120_000 });
const Link = BaseEvent.extend('Link', { level: z.number() }, { timeout: null });
const Many = BaseEvent.extend('Many', {}, { timeout: null });
const Item = BaseEvent.extend('Item', {}, { timeout: null });
const unlimited = { maxPending: null, maxHistorySize: 1, maxRecursionDepth: null };

/** How many times the work is, for each level, with all of the depth instead of a quarter of it. */
async function growth(run: (levels: number) => Promise<unknown>): Promise<number> {
  const measure = async (levels: number): Promise<number> => (await workOf(() => run(levels))) / levels;
  const few = await measure(depth / 4);
  // All blocks of an event's way are counted, not just those of loops.
  expect(few).toBeGreaterThan(100);
  return (await measure(depth)) / few;
}

function chain(levels: number, next: (bus: EventBus, event: BaseEvent) => unknown, buses = 1): Promise<BaseEvent> {
  const all = Array.from({ length: buses }, () => quietBus(unlimited));
  const busOf = (level: number): EventBus => all[level % buses] as EventBus;
  for (const bus of all) {
    bus.on(Link, async ({ level }) => {
      if (level < levels) await next(busOf(level + 1), new Link({ level: level + 1 }));
    });
  }
  return Promise.resolve(busOf(1).dispatch(new Link({ level: 1 })));
}

const shapes: Record<string, (levels: number) => Promise<unknown>> = {
  'each level awaited': (levels) => chain(levels, (bus, event) => bus.dispatch(event)),
  'no level awaited': (levels) => chain(levels, (bus, event) => void bus.dispatch(event)),
  'each level awaited again once it has started': (levels) =>
    chain(
      levels,
      async (bus, event) => {
        const dispatch = bus.dispatch(event);
        const first = dispatch.eventResult({ raiseIfNone: false });
        await nextTurn();
        await Promise.all([dispatch, first]);
      },
      2,
    ),
};

for (const [shape, run] of Object.entries(shapes)) {
  test(`a chain of ${depth} nested dispatches completes with work in proportion: ${shape}`, async () => {
    expect(await growth(run)).toBeLessThan(1.2);
  });
}

const families: Record<string, (children: number) => Promise<void>> = {
  'not awaited': async (children) => {
    const bus = quietBus(unlimited);
    bus.on(Item, () => null);
    bus.on(Many, () => {
      for (let number = 0; number < children; number += 1) bus.dispatch(new Item({}));
    });
    await bus.dispatch(new Many({}));
  },
  'awaited together, last first': async (children) => {
    const bus = quietBus(unlimited);
    bus.on(Item, () => null);
    bus.on(Many, async () => {
      const items = Array.from({ length: children }, () => bus.dispatch(new Item({})));
      await Promise.all(items.reverse());
    });
    await bus.dispatch(new Many({}));
  },
  'side by side, each with a limit': async (children) => {
    const bus = quietBus({ ...unlimited, concurrency: null });
    const Limited = BaseEvent.extend('Limited', {});
    bus.on(Limited, () => nextTurn());
    bus.on(Many, () => {
      for (let number = 0; number < children; number += 1) bus.dispatch(new Limited({}));
    });
    await bus.dispatch(new Many({}));
  },
  'left behind by an awaited event': async (children) => {
    const bus = quietBus(unlimited);
    const Outer = BaseEvent.extend('Outer', {}, { timeout: null });
    bus.on(Item, () => null);
    bus.on(Many, () => {
      for (let number = 0; number < children; number += 1) bus.dispatch(new Item({}));
    });
    bus.on(Outer, () => bus.dispatch(new Many({})).eventResult({ raiseIfNone: false }));
    await bus.dispatch(new Outer({}));
  },
  'with back-pressure': async (children) => {
    const bus = quietBus({ ...unlimited, maxPending: 20 });
    bus.on(Item, () => null);
    bus.on(Many, async () => {
      for (let number = 0; number < children; number += 1) {
        await bus.waitForCapacity();
        bus.dispatch(new Item({}));
      }
    });
    await bus.dispatch(new Many({}));
  },
};

for (const [kind, run] of Object.entries(families)) {
  test(`${depth} children of one parent complete with work in proportion: ${kind}`, async () => {
    expect(await growth(run)).toBeLessThan(1.2);
  });
}

test(`what ends the first of ${depth} nested handlers that await each other ends them all`, async () => {
  const first = quietBus();
  const bus = quietBus(unlimited);
  const reached = gate();
  let deepest: BaseEvent | null = null;
  bus.on(Link, async ({ level }) => {
    if (level < depth) await bus.dispatch(new Link({ level: level + 1 }));
    else await bus.dispatch((deepest = new Item({})));
  });
  bus.on(Item, (_, { signal }) => {
    const end = once(signal, 'abort');
    reached.open();
    return end.then(() => null);
  });
  first.on(Many, () => bus.dispatch(new Link({ level: 1 })).eventResult());
  const root = first.dispatch(new Many({}));
  await reached.opened;
  await first.stop();
  expect(root.event.event_status).toBe('completed');
  const [rootError, lastError] = [root.event, deepest as BaseEvent | null].map((event) => {
    const [result] = event?.event_results.values() ?? [];
    return result?.error as HandlerAbortedError;
  });
  expect(lastError).toBeInstanceOf(HandlerAbortedError);
  expect(lastError?.cause).toBeInstanceOf(BusStoppedError);
  expect(lastError?.cause).toBe(rootError?.cause);
  expect(lastError?.message.length).toBeLessThan(300);
  expect(await bus.waitUntilIdle({ timeout: 0 })).toBe(true);
});

test('a stop ends a deep chain', async () => {
  const bus = quietBus(unlimited);
  let stopped = false;
  bus.on(Link, async ({ level }) => {
    if (level < depth) await bus.dispatch(new Link({ level: level + 1 }));
    else {
      await bus.stop();
      stopped = true;
    }
  });
  const root = await bus.dispatch(new Link({ level: 1 }));
  const [result] = root.event_results.values();
  expect(result?.error).toBeInstanceOf(HandlerAbortedError);
  await nextTurn();
  expect(stopped).toBe(true);
});
