import { BaseEvent, type EventBus, isAwaitCycleError, isRecursionLimitError } from '@threadbus/core';
import type { LinkedBus } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { endOf, PROBE } from '../../../packages/link/dist/wire/protocol.js';
import { gate } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linked, linkPair } from '../link-pair.ts';

/** Long enough that a test which waits for it fails by its own limit. */
const timeout = 60;

function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: timeout });
}

function errorsOf(events: readonly BaseEvent[]): unknown[] {
  return events.flatMap(({ event_results }) => [...event_results.values()].flatMap(({ error }) => error ?? []));
}

/** Buses in a ring: `next[i]` is how bus `i` reaches the one after it, `back[i]` the one before it. */
async function ring(name: string, size: number): Promise<{ buses: EventBus[]; next: LinkedBus[]; back: LinkedBus[] }> {
  const buses = Array.from({ length: size }, (_, i) => quietBus({ name: `${name}${i}`, maxPending: null }));
  const next: LinkedBus[] = [];
  const back: LinkedBus[] = [];
  for (const [i, bus] of buses.entries()) {
    const to = (i + 1) % size;
    const { down, up } = await linked(bus, buses[to] as EventBus);
    next[i] = down;
    back[to] = up;
  }
  return { buses, next, back };
}

test.for([2, 3, 5])(
  'cycles - each bus of %i hands its event to the next, whose handler awaits that bus’s own',
  async (size) => {
    const { buses, next } = await ring(`Chain${size}x`, size);
    const own = buses.map((_, i) => event(`Own${i}`));
    const started = buses.map(() => gate());
    for (const [i, bus] of buses.entries()) {
      const to = (i + 1) % size;
      bus.on(`Own${i}`, (next[i] as LinkedBus).dispatch);
      buses[to]?.on(`Own${i}`, async () => {
        started[i]?.open();
        await Promise.all(started.map(({ opened }) => opened));
        await own[to]?.eventCompleted();
      });
    }
    const since = performance.now();
    await Promise.all(own.map((each, i) => (buses[i] as EventBus).dispatch(each)));
    expect(performance.now() - since).toBeLessThan(timeout * 500);
    const errors = errorsOf(own);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(isAwaitCycleError(error)).toBe(true);
  },
);

test('cycles - the awaits of a ring of four that were made one after the other: the last is refused, no other', async () => {
  const { buses, next } = await ring('Last', 4);
  const own = buses.map((_, i) => event(`Own${i}`));
  const turns = buses.map(() => gate());
  for (const [i, bus] of buses.entries()) {
    const to = (i + 1) % 4;
    bus.on(`Own${i}`, (next[i] as LinkedBus).dispatch);
    buses[to]?.on(`Own${i}`, async () => {
      await turns[i]?.opened;
      const awaited = own[to]?.eventCompleted();
      turns[i + 1]?.open();
      await awaited;
    });
  }
  const sent = own.map((each, i) => (buses[i] as EventBus).dispatch(each));
  turns[0]?.open();
  await Promise.all(sent);
  expect(errorsOf(own)).toHaveLength(1);
  expect(isAwaitCycleError(errorsOf(own)[0])).toBe(true);
});

test('cycles - the great-grandparent of an event, behind local hops on both sides', async () => {
  const { here, there, down, up } = await linkPair();
  const top = event('Top');
  here.on('Top', async () => void (await here.dispatch(event('Local'))));
  here.on('Local', async () => void (await down.dispatch(event('Over'))));
  there.on('Over', async () => void (await there.dispatch(event('Inner'))));
  there.on('Inner', async () => void (await up.dispatch(event('Back'))));
  here.on('Back', async () => void (await top.eventCompleted()));
  const back = here.expect('Back');
  await here.dispatch(top);
  expect(errorsOf([await back]).map(isAwaitCycleError)).toEqual([true]);
});

test('cycles - an ancestor that was left over three buses in a ring', async () => {
  const { buses, next } = await ring('Round', 3);
  const top = event('Top');
  const types = ['Top', 'Second', 'Third', 'Fourth'];
  for (const i of [0, 1, 2]) {
    buses[i]?.on(types[i] as string, async () => void (await next[i]?.dispatch(event(types[i + 1] as string))));
  }
  buses[0]?.on('Fourth', async () => void (await top.eventCompleted()));
  const last = buses[0]?.expect('Fourth');
  await buses[0]?.dispatch(top);
  expect(errorsOf([(await last) as BaseEvent]).map(isAwaitCycleError)).toEqual([true]);
});

test('cycles - an event that the other side got by expect', async () => {
  const { here, there, down, up } = await linkPair();
  const expected = down.expect('Asked');
  there.on('Asked', async () => void (await up.dispatch(event('Waits'))));
  here.on('Waits', async () => void (await (await expected).eventCompleted()));
  await down.dispatch(event('Before'));
  const waits = here.expect('Waits');
  await there.dispatch(event('Asked'));
  expect(errorsOf([await waits]).map(isAwaitCycleError)).toEqual([true]);
});

test('cycles - none where the awaited event needs nothing of the handler’s, however they are linked', async () => {
  const { buses, next, back } = await ring('Fine', 3);
  const shared = event('Shared');
  const over = gate();
  buses[0]?.on('Shared', () => over.opened);
  buses[0]?.on('Job', async () => void (await next[0]?.dispatch(event('Step'))));
  buses[1]?.on('Step', async () => void (await next[1]?.dispatch(event('Last'))));
  buses[2]?.on('Last', async () => void (await back[2]?.dispatch(event('Opens'))));
  buses[1]?.on('Opens', async () => void (await back[1]?.dispatch(event('Waits'))));
  buses[0]?.on('Waits', async () => {
    const completed = shared.eventCompleted();
    over.open();
    await completed;
    return 'waited';
  });
  const other = quietBus({ name: 'FineOther' });
  other.on('Shared', () => over.opened);
  const sent = other.dispatch(shared);
  const waits = buses[0]?.expect('Waits');
  await buses[0]?.dispatch(event('Job'));
  await sent;
  expect(await (await waits)?.eventResult()).toBe('waited');
});

test('cycles - awaits of a handler’s own children send no probes', async () => {
  const { here, there, down, up, ports } = await linkPair();
  const kinds = new Set<unknown>();
  for (const port of ports) {
    port.on('message', (frame: unknown[]) => {
      for (let at = 0; at < frame.length; at = endOf(frame, at)) kinds.add(frame[at]);
    });
  }
  here.on('Down', async (parent) => {
    if (parent['left'] === 0) return 'bottom';
    const child = new BaseEvent({ left: Number(parent['left']) - 1 }, { event_type: 'Up' });
    return down.dispatch(child).eventResult();
  });
  there.on('Up', async (parent) => {
    if (parent['left'] === 0) return 'bottom';
    const child = new BaseEvent({ left: Number(parent['left']) - 1 }, { event_type: 'Down' });
    return up.dispatch(child).eventResult();
  });
  expect(await here.dispatch(new BaseEvent({ left: 10 }, { event_type: 'Down' })).eventResult()).toBe('bottom');
  expect(kinds.size).toBeGreaterThan(3);
  expect(kinds.has(PROBE)).toBe(false);
});

test.for([2, 3])('recursion - a handler that is nested in itself around %i buses, with local hops', async (size) => {
  const { buses, next } = await ring(`Nest${size}x`, size);
  let [nested, refused] = [0, 0];
  for (const [i, bus] of buses.entries()) {
    bus.on('Enter', async () => {
      if (i === 0) nested += 1;
      if (nested < 500) await bus.dispatch(event('Leave'));
    });
    bus.on('Leave', async () => {
      const sent = await (next[i] as LinkedBus).dispatch(event('Enter'));
      refused += errorsOf([sent]).filter(isRecursionLimitError).length;
    });
  }
  await buses[0]?.dispatch(event('Enter'));
  expect(nested).toBe(51);
  expect(refused).toBe(1);
});
