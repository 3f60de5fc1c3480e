import { BaseEvent, EventBus } from '@threadbus/core';
import * as abx from 'abxbus';
import { z } from 'zod';
import { contest } from './contest.ts';
import { check, type Contestant, heapBytes, type Load } from './scenario.ts';

const Numbered = BaseEvent.extend('Numbered', { n: z.number() });
const Theirs = abx.BaseEvent.extend('Numbered', { n: z.number() });
const kept: unknown[] = [];

/** One side's words for what all figures need. */
interface Side {
  bus(history: number): unknown;
  on(bus: unknown, handler: () => void | Promise<void>): void;
  send(bus: unknown, n: number): void;
  idle(bus: unknown): Promise<unknown>;
}

const ours: Side = {
  bus: (history) => new EventBus({ maxHistorySize: history, maxPending: null }),
  on: (bus, handler) => void (bus as EventBus).on(Numbered, handler),
  send: (bus, n) => void (bus as EventBus).dispatch(new Numbered({ n })),
  idle: async (bus) => (bus as EventBus).waitUntilIdle(),
};

const theirs: Side = {
  bus: (history) =>
    new abx.EventBus(`Bus${kept.length}`, {
      max_history_size: history,
      max_history_drop: true,
      event_handler_detect_file_paths: false,
    }),
  on: (bus, handler) => void (bus as abx.EventBus).on(Theirs, handler),
  send: (bus, n) => void (bus as abx.EventBus).emit(Theirs({ n })),
  idle: async (bus) => (bus as abx.EventBus).waitUntilIdle(),
};

/** All are sent while the first one's handler waits; then they run. */
function inFlight(side: Side): Contestant {
  return async (events) => {
    await warmUp(side);
    const bus = side.bus(events);
    const { promise, resolve } = gate();
    let handled = 0;
    side.on(bus, async () => {
      await promise;
      handled += 1;
    });
    await heapBytes();
    const before = process.memoryUsage.rss();
    for (let n = 0; n < events; n += 1) side.send(bus, n);
    resolve();
    await side.idle(bus);
    check(handled, events);
    return (process.resourceUsage().maxRSS - before / 1024) / events;
  };
}

function inHistory(side: Side): Contestant {
  return async (events) => {
    await warmUp(side);
    const before = await heapBytes();
    const bus = side.bus(events);
    let handled = 0;
    side.on(bus, () => void (handled += 1));
    for (let sent = 0; sent < events;) {
      for (const end = sent + 500; sent < end; sent += 1) side.send(bus, sent);
      await side.idle(bus);
    }
    check(handled, events);
    kept.push(bus);
    return ((await heapBytes()) - before) / 1024 / events;
  };
}

function idleBuses(side: Side): Contestant {
  return async (buses) => {
    await warmUp(side);
    const before = await heapBytes();
    for (let n = 0; n < buses; n += 1) kept.push(side.bus(50));
    return ((await heapBytes()) - before) / 1024 / buses;
  };
}

function handlers(side: Side): Contestant {
  return async (count) => {
    await warmUp(side);
    const bus = side.bus(50);
    kept.push(bus);
    const before = await heapBytes();
    for (let n = 0; n < count; n += 1) side.on(bus, () => void n);
    return ((await heapBytes()) - before) / 1024 / count;
  };
}

/** At default limits the heap is as small after all events as it was after an eighth of them; in MB. */
const soak: Contestant = async (events) => {
  const bus = ours.bus(50);
  let handled = 0;
  ours.on(bus, () => void (handled += 1));
  let early = 0;
  for (let sent = 0; sent < events;) {
    for (const end = sent + 100; sent < end; sent += 1) ours.send(bus, sent);
    await ours.idle(bus);
    if (sent === events / 8) early = await heapBytes();
  }
  check(handled, events);
  return Math.max(0, (await heapBytes()) - early) / 1024 / 1024;
};

/** What is made once belongs to nobody. */
async function warmUp(side: Side): Promise<void> {
  const bus = side.bus(50);
  kept.push(bus);
  side.on(bus, () => {});
  side.send(bus, 0);
  await side.idle(bus);
}

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function load(name: string, unit: string, size: number, of: (side: Side) => Contestant): Load {
  return {
    name,
    unit,
    ratio: '× as much',
    size,
    quick: size / 10,
    rounds: 3,
    fresh: true,
    contestants: { threadbus: of(ours), abxbus: of(theirs) },
  };
}

/** Each figure of each side in a process of its own. */
export const memory = contest('memory', [
  load('peak RSS per event in flight', 'KB', 20_000, inFlight),
  load('retained per event in history', 'KB', 20_000, inHistory),
  load('retained per idle bus', 'KB', 5_000, idleBuses),
  load('retained per handler', 'KB', 20_000, handlers),
  {
    name: 'heap growth, 250k to 2M events',
    unit: 'MB',
    ratio: '× as much',
    size: 2_000_000,
    quick: 80_000,
    rounds: 1,
    fresh: true,
    contestants: { threadbus: soak },
  },
]);
