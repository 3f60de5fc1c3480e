import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linked } from '../link-pair.ts';

/*
 * A function that a side has registered on a bus at the other end gets events that its own bus may have had, may still
 * get on another way, or never sees. Whatever comes first, and is over by then: the bus has each once.
 */
const Work = BaseEvent.extend('Work', {});
const Other = BaseEvent.extend('Other', {});

test('functions alone - what the bus had, and its function after that, the bus does not take again', async () => {
  const source = quietBus({ name: 'Source' });
  const side = quietBus({ name: 'Side' });
  const sink = quietBus({ name: 'Sink' });
  const { down: toSink, up: sourceOfSink } = await linked(source, sink);
  const { down: toSide } = await linked(source, side);
  const { down: onward } = await linked(side, sink);
  const late = gate();
  const ran: string[] = [];
  sink.on(Work, () => void ran.push('bus'));
  side.on(Work, () => late.opened);
  side.on(Work, onward.dispatch);
  source.on(Work, toSide.dispatch);
  source.on(Work, toSink.dispatch);
  source.on(Work, async () => {
    while (!ran.includes('bus')) await ticks(1);
    await ticks(10);
  });
  sourceOfSink.on(Work, () => void ran.push('function'));
  // It is registered there when what comes behind it has been.
  await sourceOfSink.dispatch(new Other({}));
  const event = source.dispatch(new Work({}));
  while (!ran.includes('function')) await ticks(1);
  await ticks(10);
  late.open();
  await event;
  expect(ran).toEqual(['bus', 'function']);
});

test('functions alone - what the bus got within the thread while its function was at it, it does not take again', async () => {
  const source = quietBus({ name: 'Source' });
  const side = quietBus({ name: 'Side' });
  const sink = quietBus({ name: 'Sink' });
  const { down: toSink, up: sourceOfSink } = await linked(source, sink);
  const { down: toSide } = await linked(source, side);
  side.on(Work, sink.dispatch);
  const [busy, held] = [gate(), gate()];
  const ran: string[] = [];
  sink.on(Work, async () => {
    ran.push('bus');
    await held.opened;
  });
  sourceOfSink.on(Work, async () => {
    ran.push('function');
    await busy.opened;
  });
  await sourceOfSink.dispatch(new Other({}));
  const event = new Work({});
  source.dispatch(event);
  while (!ran.includes('function')) await ticks(1);
  toSide.dispatch(event);
  while (!ran.includes('bus')) await ticks(1);
  toSink.dispatch(event);
  await ticks(10);
  held.open();
  await ticks(10);
  busy.open();
  await event.eventCompleted();
  expect(ran).toEqual(['function', 'bus']);
});
