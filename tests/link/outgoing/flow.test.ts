import { BaseEvent, type EventBus } from '@threadbus/core';
import type { LinkedBus } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linked } from '../link-pair.ts';

const windows = [1, 2, 256];
const count = 300;

function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: 5 });
}

/** Buses in a ring, each linked to the next: `next[i]` is the next of bus `i`, as it reaches it. */
async function ring(names: readonly string[], maxInFlight: number): Promise<{ buses: EventBus[]; next: LinkedBus[] }> {
  const buses = names.map((name) => quietBus({ name, maxPending: null }));
  const next: LinkedBus[] = [];
  for (const [i, bus] of buses.entries()) {
    next.push((await linked(bus, buses[(i + 1) % buses.length] as EventBus, { maxInFlight })).down);
  }
  return { buses, next };
}

async function settled(sent: readonly PromiseLike<BaseEvent>[]): Promise<readonly BaseEvent[]> {
  return Promise.all(sent);
}

test.for(windows)(
  'flow - steps that two threads send up and the one between passes on to the other, a window of %i',
  async (maxInFlight) => {
    const main = quietBus({ name: 'FlowMain', maxPending: null });
    const sides = ['FlowOne', 'FlowTwo'].map((name) => quietBus({ name, maxPending: null }));
    const links = await Promise.all(sides.map((side) => linked(main, side, { maxInFlight })));
    for (const [i, side] of sides.entries()) {
      side.on('Job', () => void links[i]?.up.dispatch(event(`Step${i}`)));
      side.on('Last', () => 'done');
      main.on(`Step${i}`, () => void links[1 - i]?.down.dispatch(event('Last')));
    }
    const sent = Array.from({ length: count }, () => links.map(({ down }) => down.dispatch(event('Job'))));
    const jobs = await settled(sent.flat());
    for (const job of jobs) expect(job.event_children[0]?.event_children[0]?.event_status).toBe('completed');
  },
);

test.for(windows)('flow - two buses that forward everything to each other, a window of %i', async (maxInFlight) => {
  const here = quietBus({ name: 'FlowHere', maxPending: null });
  const there = quietBus({ name: 'FlowThere', maxPending: null });
  const { down, up } = await linked(here, there, { maxInFlight });
  here.on('*', down.dispatch);
  there.on('*', up.dispatch);
  const sent = [here, there].flatMap((bus) => Array.from({ length: count }, () => bus.dispatch(event('Any'))));
  for (const { event_path } of await settled(sent)) expect(event_path).toHaveLength(2);
});

test.for(windows)('flow - a ring of forwards, a window of %i', async (maxInFlight) => {
  const { buses, next } = await ring(['RingA', 'RingB', 'RingC'], maxInFlight);
  for (const [i, bus] of buses.entries()) {
    bus.on('*', (next[i] as LinkedBus).dispatch);
    bus.on('Any', () => bus.name);
  }
  const sent = buses.flatMap((bus) => Array.from({ length: count }, () => bus.dispatch(event('Any'))));
  for (const done of await settled(sent)) {
    expect(new Set(await done.eventResultsList())).toEqual(new Set(['RingA', 'RingB', 'RingC']));
    expect(done.event_results.size).toBe(6);
  }
});

test.for(windows)('flow - a ring of children that nobody awaits, a window of %i', async (maxInFlight) => {
  const { buses, next } = await ring(['StepA', 'StepB', 'StepC'], maxInFlight);
  let last = 0;
  for (const [i, bus] of buses.entries()) {
    bus.on('Step', ({ left }) => {
      if (left === 0) last += 1;
      else next[i]?.dispatch(new BaseEvent({ left: Number(left) - 1 }, { event_type: 'Step', event_timeout: 5 }));
    });
  }
  const step = (): BaseEvent => new BaseEvent({ left: 7 }, { event_type: 'Step', event_timeout: 5 });
  await settled(next.flatMap((bus) => Array.from({ length: count }, () => bus.dispatch(step()))));
  expect(last).toBe(3 * count);
});

test('flow - events that enter the system here still wait for their places', async () => {
  const here = quietBus({ name: 'PlaceHere', maxPending: null });
  const there = quietBus({ name: 'PlaceThere', maxPending: null });
  const { down } = await linked(here, there, { maxInFlight: 2 });
  let [running, most] = [0, 0];
  there.observe({
    dispatched: () => {
      running += 1;
      most = Math.max(most, running);
    },
    completed: () => void (running -= 1),
  });
  there.on('Any', () => ticks(1));
  here.on('Forwarded', down.dispatch);
  here.on('Parent', () => void down.dispatch(event('Any')));
  const sent = ['Forwarded', 'Parent'].flatMap((type) => Array.from({ length: 20 }, () => here.dispatch(event(type))));
  await settled([...sent, ...Array.from({ length: 20 }, () => down.dispatch(event('Any')))]);
  expect(most).toBe(2);
});
