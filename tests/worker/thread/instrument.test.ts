import { BaseEvent, instrument } from '@threadbus/core';
import { expect, onTestFinished, test } from 'vitest';
import { Double } from '../../fixtures/worker/events.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { startBus } from '../../helpers/worker-bus.ts';

test('instrument - each thread hears of its own handlers, and of an event where it was born; each of its completion', async () => {
  const notes: string[] = [];
  const end = instrument({
    dispatch(event, { name }, go) {
      notes.push(`dispatch ${event.event_type} on ${name}`);
      go();
    },
    handler(event, result, go) {
      notes.push(`handler ${event.event_type} ${result.eventbus_name}`);
      go();
    },
    handlerEnded: (event) => void notes.push(`ended ${event.event_type}`),
    completed: (event) => void notes.push(`completed ${event.event_type}`),
  });
  onTestFinished(() => end());
  const parent = quietBus({ name: 'Home' });
  parent.on(Double, ({ n }) => n + 1);
  const bus = await startBus('instrumented-bus', { parent });
  expect(await bus.dispatch(new Double({ n: 1 })).eventResult()).toBe(3);
  expect(notes).toEqual([
    'dispatch Double on Instrumented',
    'handler Double Home',
    'ended Double',
    'completed Double',
    'completed Double',
  ]);
  const there = await bus.dispatch(new BaseEvent({}, { event_type: 'Notes' })).eventResult();
  expect(there).toEqual([
    'handler Double Instrumented',
    'dispatch Double on Home',
    'completed Double',
    'ended Double',
    'completed Double',
  ]);
});

test('instrument - a function for a bus in another thread is heard of here, where it runs', async () => {
  const notes: string[] = [];
  const end = instrument({
    handler(event, result, go) {
      notes.push(`handler ${event.event_type} ${result.handler_name}`);
      go();
    },
    handlerEnded: (event, result) => void notes.push(`ended ${event.event_type} ${result.status}`),
  });
  onTestFinished(() => end());
  const bus = await startBus('havoc-bus');
  bus.on('Guest', function guest() {
    return 5;
  });
  expect(await bus.dispatch(new BaseEvent({}, { event_type: 'Guest' })).eventResult()).toBe(5);
  expect(notes).toEqual(['handler Guest guest', 'ended Guest completed']);
});
