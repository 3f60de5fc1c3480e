import { BaseEvent, instrument } from '@threadbus/core';
import { isLookedOn, lookOn } from '@threadbus/core/internal';
import { expect, onTestFinished, test } from 'vitest';
import { gate } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

class Outer extends BaseEvent.extend('Outer', {}) {}
class Inner extends BaseEvent.extend('Inner', {}) {}

/** Notes everything that is told, in order. */
function noted(): { readonly notes: string[]; readonly end: () => void } {
  const notes: string[] = [];
  const end = lookOn({
    dispatched: (event, bus) => void notes.push(`dispatched ${event.event_type} on ${bus.name}`),
    called: (event, result) => void notes.push(`called ${event.event_type} ${result.handler_name}`),
    ended: (event, result) => void notes.push(`ended ${event.event_type} ${result.status}`),
    completed: (event) => void notes.push(`completed ${event.event_type}`),
  });
  onTestFinished(() => end());
  return { notes, end };
}

test('onlookers - hear of the first dispatch, each call and its end, and of completion; not of forwards', async () => {
  const { notes, end } = noted();
  expect(isLookedOn()).toBe(true);
  const bus = quietBus({ name: 'Seen' });
  const other = quietBus({ name: 'Other' });
  bus.on('*', other.dispatch);
  bus.on(Outer, async function outer() {
    await bus.dispatch(new Inner({}));
  });
  other.on(Inner, function inner() {
    throw new Error('wrong');
  });
  await bus.dispatch(new Outer({})).eventCompleted();
  expect(notes).toEqual([
    'dispatched Outer on Seen',
    'called Outer outer',
    'dispatched Inner on Seen',
    'called Inner inner',
    'ended Inner error',
    'completed Inner',
    'ended Outer completed',
    'completed Outer',
  ]);
  end();
  expect(isLookedOn()).toBe(false);
  await bus.dispatch(new Inner({})).eventCompleted();
  expect(notes).toHaveLength(8);
});

test('onlookers - a handler that was cancelled before it was called has neither been called nor ended', async () => {
  const bus = quietBus();
  const entered = gate();
  const { notes } = noted();
  bus.on(Outer, async () => {
    entered.open();
    await new Promise(() => undefined);
  });
  bus.on(Inner, () => undefined);
  const first = bus.dispatch(new Outer({}));
  const second = bus.dispatch(new Inner({}));
  await entered.opened;
  await bus.stop({ timeout: 0 });
  await Promise.all([first.eventCompleted(), second.eventCompleted()]);
  expect(notes.filter((note) => note.includes('Inner')).map((note) => note.split(' ')[0])).toEqual([
    'dispatched',
    'completed',
  ]);
  expect(notes.filter((note) => note.startsWith('ended'))).toEqual(['ended Outer error']);
});

test('onlookers - several hear the same, and whoever instruments beside them too', async () => {
  const one = noted();
  const two = noted();
  const calls: string[] = [];
  onTestFinished(
    instrument({
      handler: (event, _result, go) => {
        calls.push(event.event_type);
        go();
      },
    }),
  );
  const bus = quietBus();
  bus.on(Inner, () => undefined);
  await bus.dispatch(new Inner({}));
  expect(one.notes).toEqual(two.notes);
  expect(one.notes.map((note) => note.split(' ')[0])).toEqual(['dispatched', 'called', 'ended', 'completed']);
  expect(calls).toEqual(['Inner']);
});
