import { BaseEvent, type EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linked, linkPair } from '../link-pair.ts';

const Work = BaseEvent.extend('Work', { n: z.number() });

test('crossings - an event that arrives on two ways is handled once, and its results come back once', async () => {
  const source = quietBus({ name: 'Source' });
  const left = quietBus({ name: 'Left' });
  const right = quietBus({ name: 'Right' });
  const sink = quietBus({ name: 'Sink' });
  for (const side of [left, right]) {
    source.on('*', (await linked(source, side)).down.dispatch);
    side.on('*', (await linked(side, sink)).down.dispatch);
  }
  let handled = 0;
  sink.on(Work, ({ n }) => {
    handled += 1;
    return n;
  });
  for (let n = 0; n < 20; n += 1) {
    const event = await source.dispatch(new Work({ n }));
    expect(await event.eventResultsList()).toEqual([n]);
    expect([...event.event_path].sort()).toEqual(['Left', 'Right', 'Sink', 'Source']);
  }
  expect(handled).toBe(20);
});

test('crossings - a copy that comes after the link of another was lost is not handled again', async () => {
  const [source, middle, outer] = ['Lossy', 'Middle', 'Outer'].map((name) => quietBus({ name })) as [
    EventBus,
    EventBus,
    EventBus,
  ];
  const { down: toMiddle } = await linked(source, middle);
  await linked(source, outer);
  const { down: toOuter } = await linked(middle, outer);
  const { down: back } = await linked(outer, source);
  const late = gate();
  let handled = 0;
  source.on(Work, () => void (handled += 1));
  middle.on(Work, toOuter.dispatch);
  outer.on(Work, () => late.opened);
  outer.on('*', back.dispatch);
  const event = new Work({ n: 1 });
  const reached = outer.expect(Work);
  toMiddle.dispatch(event);
  await reached;
  const dispatch = source.dispatch(event);
  toMiddle.close();
  await dispatch;
  expect(handled).toBe(1);
  late.open();
  await outer.waitUntilIdle();
  expect(handled).toBe(1);
});

test('crossings - an event with handlers behind two links started with the first of them, whichever was done first', async () => {
  const here = quietBus({ name: 'Start' });
  const slow = quietBus({ name: 'SlowEnd' });
  const quick = quietBus({ name: 'QuickEnd' });
  const [begun, over] = [gate(), gate()];
  slow.on(Work, async () => {
    begun.open();
    await over.opened;
  });
  quick.on(Work, () => undefined);
  const { down: toSlow } = await linked(here, slow);
  const { down: toQuick } = await linked(here, quick);
  const event = new Work({ n: 1 });
  const dispatch = toSlow.dispatch(event);
  await begun.opened;
  const since = Date.now();
  while (Date.now() < since + 5) await ticks(1);
  toQuick.dispatch(event);
  while (event.event_results.size === 0) await ticks(1);
  over.open();
  await dispatch;
  const starts = [...event.event_results.values()].map(({ started_at }) => started_at ?? '');
  expect(new Set(starts).size).toBe(2);
  expect(event.event_started_at).toBe(starts.sort()[0]);
});

test('crossings - what a grandchild is here, it is in the tree of the event that went there', async () => {
  const { here, there, down, up } = await linkPair();
  const event = (event_type: string): BaseEvent => new BaseEvent({}, { event_type });
  there.on('Root', async () => void (await there.dispatch(event('Middle'))));
  there.on('Middle', async () => void (await Promise.all([1, 2].map(() => up.dispatch(event('Home'))))));
  there.on('Leaf', () => 'leaf');
  const atHome: BaseEvent[] = [];
  here.on('Home', async (home) => {
    atHome.push(home);
    await down.dispatch(event('Leaf'));
  });
  const root = await down.dispatch(event('Root'));
  const [middle] = root.event_children as [BaseEvent];
  expect(middle.event_type).toBe('Middle');
  expect(middle.event_children).toHaveLength(2);
  for (const [i, home] of middle.event_children.entries()) {
    expect(home).toBe(atHome[i]);
    expect(home.event_children.map(({ event_type, event_status }) => [event_type, event_status])).toEqual([
      ['Leaf', 'completed'],
    ]);
  }
});

test('crossings - an event that comes back to where it was is not handled again', async () => {
  const buses = ['One', 'Two', 'Three'].map((name) => quietBus({ name: `Round${name}` }));
  let handled = 0;
  for (const [i, bus] of buses.entries()) {
    bus.on(Work, () => (handled += 1));
    bus.on('*', (await linked(bus, buses[(i + 1) % 3] as typeof bus)).down.dispatch);
  }
  const event = await (buses[0] as (typeof buses)[0]).dispatch(new Work({ n: 1 }));
  expect(handled).toBe(3);
  expect(event.event_path).toEqual(['RoundOne', 'RoundTwo', 'RoundThree']);
  expect(await event.eventResultsList()).toEqual([1, 2, 3]);
});

test('crossings - a forward that a bus has registered elsewhere does not bring it what it had, however late', async () => {
  const [source, middle, sink] = ['LateSource', 'LateMiddle', 'LateSink'].map((name) => quietBus({ name })) as [
    EventBus,
    EventBus,
    EventBus,
  ];
  const { down: toSink } = await linked(source, sink);
  const { down: toMiddle } = await linked(source, middle);
  const { up: asMiddle } = await linked(middle, sink);
  let handled = 0;
  sink.on(Work, ({ n }) => {
    handled += 1;
    return n;
  });
  const [late, had] = [gate(), gate()];
  middle.on(Work, () => late.opened);
  source.on(Work, toMiddle.dispatch);
  source.on(Work, toSink.dispatch);
  asMiddle.on(Work, sink.dispatch);
  sink.observe({ completed: () => had.open() });
  await asMiddle.dispatch(new BaseEvent({}, { event_type: 'Registered' }));
  const dispatch = source.dispatch(new Work({ n: 1 }));
  await had.opened;
  await ticks();
  late.open();
  expect(await (await dispatch).eventResultsList()).toEqual([1]);
  expect(handled).toBe(1);
});

test('crossings - an event that came to another bus of the same thread, late or early, is still the same one', async () => {
  for (const forwardFirst of [true, false]) {
    const source = quietBus({ name: `Apart${forwardFirst}` });
    const left = quietBus({ name: `Left${forwardFirst}` });
    const right = quietBus({ name: `Right${forwardFirst}` });
    const { down: toLeft } = await linked(source, left);
    const { down: toRight } = await linked(source, right);
    let handled = 0;
    right.on(Work, ({ n }) => {
      handled += 1;
      return n;
    });
    const held = gate();
    if (!forwardFirst) left.on(Work, () => held.opened);
    left.on(Work, right.dispatch);
    right.observe({ completed: () => held.open() });
    source.on(Work, toLeft.dispatch);
    if (forwardFirst) source.on(Work, () => ticks());
    source.on(Work, toRight.dispatch);
    const event = await source.dispatch(new Work({ n: 1 }));
    expect(await event.eventResultsList()).toEqual([1]);
    expect(handled).toBe(1);
  }
});
