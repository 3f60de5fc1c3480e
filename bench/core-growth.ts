import { BaseEvent, EventBus, type EventBusOptions } from '@threadbus/core';
import { z } from 'zod';
import { type BenchOptions, cpuSeconds, heapMegabytes, type Row, rounded, type Scenario } from './scenario.ts';

const Step = BaseEvent.extend('Step', { n: z.number() });
/** Dispatched at once, then waited for: within the default `maxPending`. */
const burst = 100;

const setups = [
  [1, 50],
  [1, 0],
  [1, 10_000],
  [1, null],
  [500, 50],
] as const;

/**
 * What an event costs must not depend on how many there were, are remembered, are queued, or how many buses there are.
 *
 * Times first, then heaps: a forced collection slows down what runs after it for a long while.
 */
export const coreGrowth: Scenario = {
  name: 'core-growth',
  async run(options) {
    await stream(options.quick ? 10_000 : 200_000, 1, {});
    return [
      ...(await streams(options)),
      ...(await queues(options)),
      ...(await heaps(options)),
      ...(await soak(options)),
    ];
  },
};

async function streams({ quick }: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [buses, maxHistorySize] of setups) {
    const costs: number[] = [];
    for (const events of quick ? [1_000, 10_000] : [1_000, 10_000, 100_000, 1_000_000]) {
      // All of a million events don't fit into a default heap.
      if (maxHistorySize === null && events > 100_000) continue;
      let seconds = 0;
      const rounds = Math.max(1, (quick ? 10_000 : 100_000) / events);
      for (let round = 0; round < rounds; round += 1) {
        const done = await stream(events, buses, { maxHistorySize });
        seconds += done.seconds;
        await done.stop();
      }
      const cost = (seconds / events / rounds) * 1e6;
      costs.push(cost);
      rows.push({
        load: `${events.toLocaleString('en')} events`,
        buses,
        history: maxHistorySize ?? 'all',
        'CPU µs per event': rounded(cost, 2),
      });
    }
    if (!quick) checkFlat(`${buses} buses, history ${maxHistorySize}`, costs.slice(1));
  }
  return rows;
}

async function heaps({ quick }: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const events = quick ? 10_000 : 100_000;
  for (const [buses, maxHistorySize] of setups) {
    const before = await heapMegabytes();
    const { stop } = await stream(events, buses, { maxHistorySize });
    const held = (await heapMegabytes()) - before;
    await stop();
    rows.push({
      load: `held after ${events.toLocaleString('en')} events`,
      buses,
      history: maxHistorySize ?? 'all',
      'heap, MB': rounded(held, 1),
    });
  }
  return rows;
}

/** Events through buses in turn, in bursts; the buses are still there when it returns. */
async function stream(
  events: number,
  count: number,
  options: EventBusOptions,
): Promise<{ seconds: number; stop: () => Promise<void> }> {
  const buses = Array.from({ length: count }, () => new EventBus(options));
  let handled = 0;
  for (const bus of buses) bus.on(Step, () => void (handled += 1));
  const start = cpuSeconds();
  for (let n = 0; n < events;) {
    const bus = buses[Math.floor(n / burst) % count] as EventBus;
    let last = bus.dispatch(new Step({ n }));
    for (n += 1; n % burst !== 0 && n < events; n += 1) last = bus.dispatch(new Step({ n }));
    await last;
  }
  const seconds = cpuSeconds() - start;
  check(handled, events);
  return {
    seconds,
    async stop() {
      for (const bus of buses) await bus.stop({ clear: true });
    },
  };
}

async function queues({ quick }: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const costs: number[] = [];
  for (const queued of quick ? [1, 100, 10_000] : [1, 10, 100, 1_000, 10_000, 100_000]) {
    const rounds = Math.max(1, Math.round((quick ? 10_000 : 100_000) / queued));
    await using bus = new EventBus({ maxPending: null });
    let handled = 0;
    bus.on(Step, () => void (handled += 1));
    const start = cpuSeconds();
    for (let round = 0; round < rounds; round += 1) {
      let last = bus.dispatch(new Step({ n: 0 }));
      for (let n = 1; n < queued; n += 1) last = bus.dispatch(new Step({ n }));
      await last;
    }
    const cost = ((cpuSeconds() - start) * 1e6) / (queued * rounds);
    check(handled, queued * rounds);
    costs.push(cost);
    rows.push({
      load: `queue of ${queued.toLocaleString('en')}, ${rounds.toLocaleString('en')} times`,
      buses: 1,
      history: 50,
      'CPU µs per event': rounded(cost, 2),
    });
  }
  if (!quick) checkFlat('queues', costs.slice(2));
  return rows;
}

/** Millions of events at default limits: the heap must be as small afterwards as it was early on. */
async function soak({ quick }: BenchOptions): Promise<Row[]> {
  const events = quick ? 200_000 : 2_000_000;
  const rows: Row[] = [];
  const sizes: number[] = [];
  await using bus = new EventBus();
  let handled = 0;
  bus.on(Step, () => void (handled += 1));
  for (let part = 1; part <= 8; part += 1) {
    for (let n = 0; n < events / 8;) {
      let last = bus.dispatch(new Step({ n }));
      for (n += 1; n % burst !== 0; n += 1) last = bus.dispatch(new Step({ n }));
      await last;
    }
    const heap = await heapMegabytes();
    sizes.push(heap);
    rows.push({
      load: `soak, ${((events / 8) * part).toLocaleString('en')} events so far`,
      buses: 1,
      history: 50,
      'heap, MB': rounded(heap, 2),
    });
  }
  check(handled, events);
  const growth = (sizes.at(-1) ?? 0) - (sizes[0] ?? 0);
  if (growth > 1) throw new Error(`Expected a flat heap, it grew by ${growth.toFixed(2)} MB: ${sizes.join(', ')}`);
  return rows;
}

function check(handled: number, expected: number): void {
  if (handled !== expected) throw new Error(`Expected ${expected} events to be handled, ${handled} were.`);
}

/**
 * Memory that is really held costs the collector more, and other work runs on most machines: only growth that neither
 * explains is an error. Anything that looks at the whole history or queue for each event is a hundred times worse.
 */
function checkFlat(what: string, costs: readonly number[]): void {
  const [first = 0] = costs;
  const last = costs.at(-1) ?? 0;
  if (last > first * 8) throw new Error(`${what}: the cost per event grew from ${first} to ${last} µs.`);
}
