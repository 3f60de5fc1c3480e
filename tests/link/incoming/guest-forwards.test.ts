import { BaseEvent, isAwaitCycleError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linked, linkPair } from '../link-pair.ts';

function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: 5 });
}

test('guest forwards - each goes where it leads, and the bus’s own dispatch still leads to the bus', async () => {
  const middle = quietBus({ name: 'GuestsMiddle' });
  const sides = ['GuestsOne', 'GuestsTwo'].map((name) => quietBus({ name }));
  for (const side of sides) {
    const { down } = await linked(side, middle);
    down.on('*', side.dispatch);
    side.on('Any', () => side.name);
  }
  middle.on('Any', () => middle.name);
  const other = quietBus({ name: 'GuestsOther' });
  other.on('*', middle.dispatch);
  await ticks();
  const sent = await other.dispatch(event('Any'));
  expect(new Set(sent.event_path)).toEqual(new Set(['GuestsOther', 'GuestsMiddle', 'GuestsOne', 'GuestsTwo']));
  expect(new Set(await sent.eventResultsList())).toEqual(new Set(['GuestsMiddle', 'GuestsOne', 'GuestsTwo']));
});

test('guest forwards - a function that is called first does not keep the event from its bus', async () => {
  const { here, there, down, up } = await linkPair({ maxInFlight: 1 });
  // The forward waits for the only place; the call overtakes it, because the event is under way already.
  here.on('Blocks', down.dispatch);
  here.on('Any', down.dispatch);
  up.on('Any', function called() {
    return 'called';
  });
  there.on('Any', () => 'on the bus');
  const further = quietBus({ name: 'GuestsFurther' });
  there.on('Any', (await linked(there, further)).down.dispatch);
  further.on('Any', () => 'further on');
  await ticks();
  const blocks = here.dispatch(event('Blocks'));
  const sent = await here.dispatch(event('Any'));
  await blocks;
  expect(new Set(await sent.eventResultsList())).toEqual(new Set(['called', 'on the bus', 'further on']));
  expect(sent.event_results.size).toBe(5);
});

test('guest forwards - a function that awaits at once what needs it is refused', async () => {
  const { here, there, down, up } = await linkPair();
  const top = event('Top');
  here.on('Top', async () => void (await down.dispatch(event('Below'))));
  there.on('Below', async () => void (await up.dispatch(event('Asks'))));
  const errors: unknown[] = [];
  // Registered over there for events of here, and the other way round: it runs within the frame that brings the event.
  here.on('Asks', async () => void (await down.dispatch(event('Called'))));
  down.on('Called', async () => {
    try {
      await top.eventCompleted();
    } catch (error) {
      errors.push(error);
    }
  });
  await ticks();
  await here.dispatch(top);
  expect(errors.map(isAwaitCycleError)).toEqual([true]);
});

test('guest forwards - children of a function are the event’s, although the event is over there twice', async () => {
  const { here, there, down, up } = await linkPair();
  here.on('Any', down.dispatch);
  up.on('Any', function parent() {
    up.dispatch(event('Child'));
  });
  here.on('Child', async () => {
    await down.dispatch(event('Grandchild'));
    return 'child';
  });
  there.on('Grandchild', () => 'grandchild');
  await ticks();
  const root = quietBus({ name: 'GuestsRoot' });
  const { down: toHere } = await linked(root, here);
  const sent = await toHere.dispatch(event('Any'));
  const [child] = sent.event_children;
  expect(await child?.eventResult()).toBe('child');
  expect(await child?.event_children[0]?.eventResult()).toBe('grandchild');
});
