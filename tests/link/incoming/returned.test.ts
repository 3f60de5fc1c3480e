import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, rejection, stateOf, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linkPair } from '../link-pair.ts';

function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: 5 });
}

test('returned - functions of the other side answer for an event that came from here and went back', async () => {
  const { here, there, down, up } = await linkPair();
  there.on('*', up.dispatch);
  up.on('Any', function value() {
    return 42;
  });
  const boom = new RangeError('boom');
  up.on('Any', async function fails() {
    throw boom;
  });
  up.on('Any', async function parent() {
    await there.dispatch(event('Child'));
    return 'parent';
  });
  const sent = await down.dispatch(event('Any'));
  const results = [...sent.event_results.values()];
  const named = (name: string): (typeof results)[number] | undefined =>
    results.find(({ handler_name }) => handler_name === name);
  expect(named('value')?.result).toBe(42);
  expect(named('fails')?.status).toBe('error');
  expect(named('fails')?.error).toMatchObject({ name: 'RangeError', message: 'boom' });
  expect(named('parent')?.result).toBe('parent');
  expect(named('parent')?.event_children.map(({ event_type }) => event_type)).toEqual(['Child']);
  expect(results.map(({ handler_id }) => handler_id)).toEqual([...sent.event_results.keys()]);
  expect(here.eventsStarted).toEqual([]);
});

test('returned - the copy over there is complete no earlier than what the part here has left behind', async () => {
  const { here, there, down, up } = await linkPair();
  const [begun, over] = [gate(), gate()];
  there.on('Any', up.dispatch);
  here.on('Any', () => void here.dispatch(event('Child')));
  here.on('Child', async () => {
    begun.open();
    await over.opened;
    return 'child';
  });
  const copy = there.expect('Any');
  const sent = down.dispatch(event('Any'));
  await begun.opened;
  const completed = (await copy).eventCompleted();
  expect(await stateOf(completed)).toBe('pending');
  over.open();
  const [child] = (await completed).event_children;
  expect([child?.event_status, await child?.eventResult()]).toEqual(['completed', 'child']);
  const [own] = (await sent).event_children;
  expect(await own?.eventResult()).toBe('child');
});

test('returned - the origin gets the child of a part that came back to a bus on the way', async () => {
  const { here, there, down, up } = await linkPair();
  const over = gate();
  // From there straight to here, and back: the part that came back is there, and its child goes here.
  here.on('Any', down.dispatch);
  there.on('Any', () => void up.dispatch(event('Child')));
  here.on('Child', async () => {
    await over.opened;
    return 'child';
  });
  const copy = here.expect('Any');
  const sent = up.dispatch(event('Any'));
  const completed = (await copy).eventCompleted();
  await ticks(20);
  expect(await stateOf(completed)).toBe('pending');
  over.open();
  for (const each of [await completed, await sent]) {
    expect(await each.event_children[0]?.eventResult()).toBe('child');
  }
});

test('returned - an await reaches the children of a part that came back', async () => {
  const { here, there, down, up } = await linkPair();
  here.on('Any', down.dispatch);
  there.on('Any', () => void up.dispatch(event('Child')));
  here.on('Child', () => 'child');
  const copy = here.expect('Any');
  const queued = gate();
  // It holds the bus that the child is queued on, and awaits the child's parent.
  here.on('Waits', async () => {
    const any = await copy;
    await queued.opened;
    await any.eventCompleted();
    return 'went on';
  });
  let arrived = 0;
  here.observe({
    dispatched: ({ event_type }) => {
      arrived += event_type === 'Child' ? 1 : 0;
      if (arrived === 1) queued.open();
    },
  });
  const sent = up.dispatch(event('Any'));
  await copy;
  expect(await here.dispatch(event('Waits')).eventResult()).toBe('went on');
  await sent;
});

test('returned - events that are no children of the handlers by which they are returned', async () => {
  const { there, down } = await linkPair();
  const over = gate();
  const [done, open, fresh] = [event('Done'), event('Open'), event('Fresh')];
  there.on('Done', () => 'done');
  const elsewhere = quietBus({ name: 'Elsewhere' });
  elsewhere.on('Open', () => over.opened);
  for (const other of [done, open, fresh]) there.on('Ask', () => other);
  there.on('Ask', () => done);
  await there.dispatch(done);
  const running = elsewhere.dispatch(open);
  const asked = await down.dispatch(event('Ask'));
  over.open();
  await running;
  const got = [...asked.event_results.values()].map(({ result }) => result as BaseEvent);
  expect(got.map(({ event_id }) => event_id)).toEqual([done, open, fresh, done].map(({ event_id }) => event_id));
  const [first, , never, again] = got;
  expect(first).toBe(again);
  expect(await first?.eventResult()).toBe('done');
  // What is not known to be complete here can't be waited for here.
  expect((await rejection((never as BaseEvent).eventCompleted())).name).toBe('EventStateError');
});
