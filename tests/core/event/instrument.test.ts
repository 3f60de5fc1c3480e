import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { BaseEvent, EventBus, type EventResult, instrument, type Instrumentation } from '@threadbus/core';
import { expect, onTestFinished, test } from 'vitest';
import { gate } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { thrown } from '../../helpers/thrown.ts';

class Outer extends BaseEvent.extend('Outer', {}) {}
class Inner extends BaseEvent.extend('Inner', {}) {}

function instrumented(it: Instrumentation): void {
  const end = instrument(it);
  onTestFinished(() => end());
}

/** Notes everything that is told, in order. */
function noted(name = ''): string[] {
  const notes: string[] = [];
  instrumented({
    dispatch(event, bus, go) {
      notes.push(`${name}dispatch ${event.event_type} on ${bus.name}`);
      go();
      notes.push(`${name}taken ${event.event_type}`);
    },
    handler(event, result, go) {
      notes.push(`${name}handler ${event.event_type} ${result.handler_name}`);
      go();
      notes.push(`${name}returned ${event.event_type}`);
    },
    handlerEnded: (event, result) => void notes.push(`${name}ended ${event.event_type} ${result.status}`),
    completed: (event) => void notes.push(`${name}completed ${event.event_type}`),
  });
  return notes;
}

test('instrument - hears of the first dispatch, each handler call and its end, and of completion, in order', async () => {
  const notes = noted();
  const bus = quietBus({ name: 'Watched' });
  bus.on(Outer, async function outer() {
    await bus.dispatch(new Inner({}));
  });
  bus.on(Inner, function inner() {
    return 1;
  });
  await bus.dispatch(new Outer({}));
  expect(notes).toEqual([
    'dispatch Outer on Watched',
    'taken Outer',
    'handler Outer outer',
    'dispatch Inner on Watched',
    'taken Inner',
    'returned Outer',
    'handler Inner inner',
    'returned Inner',
    'ended Inner completed',
    'completed Inner',
    'ended Outer completed',
    'completed Outer',
  ]);
});

test('instrument - what is active in go is what handlers and those they call run in, also after awaits', async () => {
  const store = new AsyncLocalStorage<string>();
  instrumented({
    dispatch: (event, _bus, go) => store.run(`dispatch ${event.event_type}`, go),
    handler: (event, _result, go) => store.run(`${store.getStore()} > handler ${event.event_type}`, go),
  });
  const bus = quietBus();
  const seen: (string | undefined)[] = [];
  bus.on(Outer, async () => {
    seen.push(store.getStore());
    await new Promise(setImmediate);
    seen.push(store.getStore());
    await bus.dispatch(new Inner({}));
  });
  bus.on(Inner, () => {
    seen.push(store.getStore());
  });
  await bus.dispatch(new Outer({}));
  expect(store.getStore()).toBeUndefined();
  expect(seen).toEqual([
    'dispatch Outer > handler Outer',
    'dispatch Outer > handler Outer',
    'dispatch Inner > handler Inner',
  ]);
});

test('instrument - forwards and further dispatches are neither dispatches nor handler calls; completion is told once', async () => {
  const notes = noted();
  const first = quietBus({ name: 'First' });
  const second = quietBus({ name: 'Second' });
  first.on('*', second.dispatch);
  second.on(Outer, function far() {});
  const event = new Outer({});
  await first.dispatch(event);
  const third = quietBus({ name: 'Third' });
  await third.dispatch(event);
  expect(notes.filter((note) => !note.startsWith('taken') && !note.startsWith('returned'))).toEqual([
    'dispatch Outer on First',
    'handler Outer far',
    'ended Outer completed',
    'completed Outer',
  ]);
});

test('instrument - several are nested, the first outermost; one that has ended hears nothing more', async () => {
  const order: string[] = [];
  const around = (name: string): Instrumentation => ({
    handler(_event, _result, go) {
      order.push(`${name} in`);
      go();
      order.push(`${name} out`);
    },
  });
  instrumented(around('first'));
  instrumented(around('second'));
  const over = instrument(around('over'));
  over();
  const bus = quietBus();
  bus.on(Outer, () => void order.push('handler'));
  await bus.dispatch(new Outer({}));
  expect(order).toEqual(['first in', 'second in', 'handler', 'second out', 'first out']);
});

test.each<[string, Instrumentation]>([
  [
    'throws before go',
    {
      dispatch: () => {
        throw new Error('bad');
      },
      handler: () => {
        throw new Error('bad');
      },
    },
  ],
  [
    'throws after go',
    {
      dispatch: (_event, _bus, go) => {
        go();
        throw new Error('bad');
      },
      handler: (_event, _result, go) => {
        go();
        throw new Error('bad');
      },
    },
  ],
  ['never calls go', { dispatch: () => undefined, handler: () => undefined }],
  [
    'calls go twice',
    {
      dispatch: (_event, _bus, go) => {
        go();
        go();
      },
      handler: (_event, _result, go) => {
        go();
        go();
      },
    },
  ],
  [
    'calls go too late',
    {
      dispatch: (_event, _bus, go) => void setImmediate(go),
      handler: (_event, _result, go) => void setImmediate(go),
    },
  ],
  [
    'fails when it is told of ends',
    {
      // oxlint-disable-next-line typescript/no-misused-promises -- what users write
      handlerEnded: async () => Promise.reject(new Error('bad')),
      completed: () => {
        throw new Error('bad');
      },
    },
  ],
])('instrument - a wrapper that %s changes nothing', async (_what, it) => {
  instrumented(it);
  const bus = quietBus();
  let calls = 0;
  bus.on(Outer, () => {
    calls += 1;
    return 'value';
  });
  bus.on(Inner, () => {
    throw new RangeError('thrown');
  });
  expect(await bus.dispatch(new Outer({})).eventResult()).toBe('value');
  await expect(bus.dispatch(new Inner({})).eventResult()).rejects.toThrow(RangeError);
  await new Promise(setImmediate);
  expect(calls).toBe(1);
});

test('instrument - a handler that runs out of time ends once; one that was cancelled before its start never began', async () => {
  const notes = noted();
  const bus = quietBus();
  const forever = gate();
  bus.on(Outer, async function slow() {
    await forever.opened;
  });
  bus.on(Inner, function never() {});
  const late = bus.dispatch(new Outer({}, { event_timeout: 0.05 }));
  await late;
  const stopped = bus.dispatch(new Outer({}));
  const cancelled = bus.dispatch(new Inner({}));
  await new Promise(setImmediate);
  await bus.stop();
  await Promise.all([stopped, cancelled]);
  forever.open();
  await new Promise(setImmediate);
  expect(notes.filter((note) => note.startsWith('ended'))).toEqual(['ended Outer error', 'ended Outer error']);
  expect(notes.filter((note) => note.startsWith('handler '))).toEqual(['handler Outer slow', 'handler Outer slow']);
});

test('instrument - the channels tell the same, with one object for a call, and can bind a store', async () => {
  const store = new AsyncLocalStorage<{ result: EventResult }>();
  const dispatched: unknown[] = [];
  const completed: unknown[] = [];
  const told: [string, object][] = [];
  const note = (name: string) => (message: unknown) => void told.push([name, message as object]);
  const handlers = {
    start: note('start'),
    end: note('end'),
    asyncStart: note('asyncStart'),
    asyncEnd: note('asyncEnd'),
    error: note('error'),
  };
  const onDispatch = (message: unknown): void => void dispatched.push(message);
  const onCompleted = (message: unknown): void => void completed.push(message);
  const calls = tracingChannel('threadbus:handler');
  channel('threadbus:dispatch').subscribe(onDispatch);
  channel('threadbus:completed').subscribe(onCompleted);
  calls.subscribe(handlers);
  calls.start.bindStore(store, (context) => context);
  onTestFinished(() => {
    channel('threadbus:dispatch').unsubscribe(onDispatch);
    channel('threadbus:completed').unsubscribe(onCompleted);
    calls.unsubscribe(handlers);
    calls.start.unbindStore(store);
  });
  const bus = quietBus();
  const seen: unknown[] = [];
  bus.on(Outer, () => {
    seen.push(store.getStore());
  });
  bus.on(Inner, async () => {
    await new Promise(setImmediate);
    throw new RangeError('thrown');
  });
  const outer = await bus.dispatch(new Outer({}));
  const inner = await bus.dispatch(new Inner({}));
  expect(dispatched).toEqual([
    { event: outer, bus },
    { event: inner, bus },
  ]);
  expect(completed).toEqual(dispatched);
  expect(told.map(([name]) => name)).toEqual([
    ...['start', 'end', 'asyncStart', 'asyncEnd'],
    ...['start', 'end', 'error', 'asyncStart', 'asyncEnd'],
  ]);
  expect(new Set(told.slice(0, 4).map(([, message]) => message)).size).toBe(1);
  expect(seen).toEqual([told[0]?.[1]]);
  expect(told[6]?.[1]).toMatchObject({ event: inner, error: new RangeError('thrown') });
});

test('instrument - what is no instrumentation is refused', () => {
  expect(thrown(() => instrument({ handlers: () => undefined } as never)).message).toContain("no option 'handlers'");
  expect(thrown(() => instrument({ handler: 'x' } as never)).message).toContain('Expected handler of instrument');
  expect(new EventBus({ name: 'Still' }).name).toBe('Still');
});
