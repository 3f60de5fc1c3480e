import { BaseEvent, EventBus } from '@threadbus/core';
import { exposeBus, isLinkError, parentBus, WorkerBus } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { thrown } from '../../helpers/thrown.ts';
import { startBus } from '../../helpers/worker-bus.ts';

test('expose - outside a thread that was started as a bus, exposeBus and parentBus say what to do', () => {
  const bus = quietBus();
  for (const call of [() => exposeBus(bus), () => parentBus()]) {
    const error = thrown(call);
    expect(isLinkError(error)).toBe(true);
    expect(error.message).toMatch(/only works in a thread that was started by WorkerBus\.start\(url\).*linkBuses/);
  }
});

test('expose - a second time in one thread is refused', async () => {
  const bus = await startBus('parent-bus');
  const error = await rejection(bus.dispatch(new BaseEvent({}, { event_type: 'ExposeAgain' })).eventResult());
  expect(isLinkError(error)).toBe(true);
  expect(error.message).toContain('This thread exposes Talker already');
});

test('expose - something that is no bus is refused, which fails the start', async () => {
  const error = await rejection(WorkerBus.start(fixtureUrl('worker/no-bus')));
  expect(error.message).toMatch(/failed to load: TypeError: Expected exposeBus to get an EventBus.*got an object/);
});

test('expose - without a parent parentBus() says what to do', async () => {
  const bus = await WorkerBus.start(fixtureUrl('worker/parent-bus'));
  const error = await rejection(bus.dispatch(new BaseEvent({}, { event_type: 'ParentName' })).eventResult());
  expect(isLinkError(error)).toBe(true);
  expect(error.message).toContain('WorkerBus.start(url, { parent: bus })');
  await bus.stop();
});

test('expose - the thread reaches its parent, and its event is a child there', async () => {
  const parent = new EventBus({ name: 'Boss' });
  parent.on('Asked', () => 'answer');
  const bus = await startBus('parent-bus', { parent });
  const event = await bus.dispatch(new BaseEvent({}, { event_type: 'AskParent' }));
  expect(await event.eventResult()).toBe('answer');
  expect(event.event_children.map(({ event_type, event_path }) => [event_type, event_path])).toEqual([
    ['Asked', ['Boss']],
  ]);
  await parent.stop();
});

test('expose - what the thread registers on its parent comes again with its replacement', async () => {
  const parent = quietBus();
  const bus = await startBus('listening-bus', { parent });
  const heard = async (): Promise<unknown> => parent.dispatch(new BaseEvent({}, { event_type: 'News' })).eventResult();
  expect(await heard()).toBe('heard by Listener');
  await bus.dispatch(new BaseEvent({}, { event_type: 'Exit' }));
  expect(await bus.dispatch(new BaseEvent({}, { event_type: 'Ready' })).eventResult()).toBe('ready');
  const results = (await parent.dispatch(new BaseEvent({}, { event_type: 'News' }))).event_results;
  expect([...results.values()].map(({ result }) => result)).toEqual(['heard by Listener']);
});
