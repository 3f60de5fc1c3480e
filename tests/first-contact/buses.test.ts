import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { z as old } from 'zod/v3';
import { rejection } from '../helpers/gate.ts';
import { logRecorder } from '../helpers/log-recorder.ts';
import { quietBus } from '../helpers/quiet-bus.ts';
import { thrown } from '../helpers/thrown.ts';

// The mistakes of the first hour: each is really made, and its message must say what to do next.

const UserLogin = BaseEvent.extend('UserLogin', { username: z.string() }, { result: z.string() });
const alice = { username: 'alice' };

test('first contact - no handler: which type, on which buses, and how to register one', async () => {
  const bus = quietBus({ name: 'Lonely' });
  const { message } = await rejection(bus.dispatch(new UserLogin(alice)).eventResult());
  expect(message).toContain('no handler is registered for it on any bus that it reached (Lonely). Register one');
  expect(message).toContain('bus.on(UserLogin, handler)');
  expect(message).toContain('{ raiseIfNone: false } if that is fine');
  expect(message).not.toContain('Did you mean');
});

test.each(['UserLogn', 'userLogin', 'UserLoginEvent', 'UsrLogin'])(
  'first contact - a handler for %s: did you mean that?',
  async (typo) => {
    const bus = quietBus();
    bus.on(typo, () => 'never called');
    bus.on('Unrelated', () => 'never called');
    const { message } = await rejection(bus.dispatch(new UserLogin(alice)).eventResult());
    expect(message).toContain(`Did you mean '${typo}'?`);
  },
);

test('first contact - a similar type on the bus that it was forwarded to', async () => {
  const [main, auth] = [quietBus({ name: 'Main' }), quietBus({ name: 'Auth' })];
  main.on(UserLogin, auth.dispatch);
  auth.on('UserLogins', () => 'never called');
  const error = await rejection(main.dispatch(new UserLogin(alice)).eventResult());
  expect(error.message).toContain('no handler is registered for it on any bus that it reached (Main, Auth).');
  expect(error.message).toContain("Did you mean 'UserLogins'?");
});

test('first contact - waiting for a type that never comes, when a similar one did', async () => {
  const bus = quietBus({ name: 'Waiting' });
  await bus.dispatch(new UserLogin(alice));
  const { message } = await rejection(bus.expect('UserLogon', { timeout: 0.01 }));
  expect(message).toBe(
    "No 'UserLogon' that matches was dispatched to Waiting within 0.01 s. Did you mean 'UserLogin'?",
  );
});

test.each([
  ['a type', 'UserLogin', 'expected an event, such as new UserCreated({ … }); got the string "UserLogin".'],
  ['a class', UserLogin, 'That is the class: make an event of it, new UserLogin({ … }).'],
  ['a payload', alice, 'expected an event, such as new UserCreated({ … }); got an object (Object).'],
])('first contact - dispatch of %s', (_what, value, next) => {
  const bus = quietBus();
  expect(thrown(() => bus.dispatch(value as never)).message).toContain(next);
});

test('first contact - a payload that is not valid: which field, and what is wrong with it', () => {
  const { message } = thrown(() => new UserLogin({ usrname: 'alice' } as never));
  expect(message).toBe(
    'UserLogin: the payload is not valid: username: Invalid input: expected string, received undefined',
  );
});

test('first contact - a field of the framework among the payload: where it goes', () => {
  const { message } = thrown(() => new UserLogin({ ...alice, event_timeout: 5 } as never));
  expect(message).toContain("the constructor's second argument: new UserLogin(payload, { event_timeout: … })");
});

test('first contact - a handler that awaits its own event: the forms that work', async () => {
  const [bus, other] = [quietBus({ name: 'Main' }), quietBus()];
  bus.on(UserLogin, async (event) => (await other.dispatch(event)).username);
  const { message } = await rejection(bus.dispatch(new UserLogin(alice)).eventResult());
  expect(message).toContain('awaits its own event');
  expect(message).toContain("bus.on('*', other.dispatch)");
  expect(message).toContain('(event) => other.dispatch(event)');
});

test('first contact - a handler that waits until its bus is idle: what to await instead', async () => {
  const bus = quietBus({ name: 'Busy' });
  bus.on(UserLogin, async () => String(await bus.waitUntilIdle()));
  const { message } = await rejection(bus.dispatch(new UserLogin(alice)).eventResult());
  expect(message).toContain('waits until Busy is idle');
  expect(message).toContain('Await the events that you need instead.');
});

test('first contact - a stopped bus: dispatch before, or make another', async () => {
  const bus = new EventBus({ name: 'Gone' });
  await bus.stop();
  expect(thrown(() => bus.dispatch(new UserLogin(alice))).message).toBe(
    'Gone was stopped and takes no UserLogin. Dispatch before stop(), or make a new EventBus.',
  );
});

test('first contact - more events than the bus takes: wait for a place, or raise the limit', () => {
  const bus = quietBus({ name: 'Small', maxPending: 2 });
  const { message } = thrown(() => {
    for (;;) bus.dispatch(new UserLogin(alice));
  });
  expect(message).toContain('2 pending events (2 max) on Small');
  expect(message).toContain("Wait with 'await bus.waitForCapacity()' before you dispatch, or raise maxPending.");
});

test('first contact - two buses of one name: what the second is called, and what to do', () => {
  const logger = logRecorder();
  quietBus({ name: 'Twin' });
  const second = quietBus({ name: 'Twin', logger });
  expect(logger.warnings).toEqual([
    `EventBus with name "Twin" already exists in this thread; this one is called "${second.name}". Stop the other one first, or choose another name.`,
  ]);
});

test('first contact - waiting for an event that was never dispatched', async () => {
  const { message } = await rejection(new UserLogin(alice).eventCompleted());
  expect(message).toMatch(/never dispatched, .* Dispatch it first: await bus\.dispatch\(event\)\.$/);
});

test('first contact - an option that there is not: which there are', () => {
  expect(thrown(() => quietBus({ maxHistory: 5 } as never)).message).toContain(
    "A bus has no option 'maxHistory'. It has: name, walPath, walMode, walSync, parallelHandlers, concurrency, maxHistorySize",
  );
});

test.each([
  ['a field', { name: old.string() }, {}],
  ['an object', old.object({ name: old.string() }), {}],
  ['a result', {}, { result: old.string() }],
])('first contact - %s of zod 3: which version is needed', (_what, shape, options) => {
  const { message } = thrown(() => BaseEvent.extend('Old', shape as never, options as never));
  expect(message).toContain('That is of zod 3; events are described with zod 4: npm install zod@4.');
});

test('first contact - a dispatch in place of the dispatch function: how to forward', () => {
  const [bus, other] = [quietBus(), quietBus()];
  const dispatched = other.dispatch(new UserLogin(alice));
  expect(thrown(() => bus.on('*', dispatched as never)).message).toContain('register other.dispatch itself');
});

test('first contact - something near an event: what it is, and how to make one', () => {
  const bus = quietBus({ name: 'Main' });
  bus.on('*', () => undefined);
  const refusal = (value: unknown): string => thrown(() => bus.dispatch(value as never)).message;
  expect(refusal(alice)).toContain("it is new BaseEvent({ … }, { event_type: 'UserCreated' })");
  expect(refusal('UserLogin')).toContain("it is new BaseEvent({ … }, { event_type: 'UserCreated' })");
  expect(refusal(Promise.resolve(1))).toContain('Is an await missing?');
  expect(refusal(bus.dispatch(new UserLogin(alice)))).toContain('That is what dispatch has returned');
  // The event is looked at first: a type's name with a payload has no wrong option, but two wrong arguments.
  const typeFirst = thrown(() => bus.dispatch('UserLogin' as never, alice as never));
  expect(typeFirst.message).toContain('Main.dispatch expected an event');
});

test('first contact - something near a handler: what to register', () => {
  const bus = quietBus();
  const refusal = (value: unknown): string => thrown(() => bus.on('*', value as never)).message;
  expect(refusal(quietBus())).toContain('That is a bus: to forward, register its dispatch.');
  expect(refusal(new URL('file:///resize.js'))).toContain('new HandlerPool().handler(url)');
  expect(refusal({ handler: () => undefined })).toContain('register pool.handler(');
  expect(refusal(Promise.resolve(1))).toContain('Is an await missing');
});

test('first contact - an event in place of its class', () => {
  const { message } = thrown(() => quietBus().on(new UserLogin(alice) as never, () => undefined));
  expect(message).toContain('That is an event: give its class, UserLogin.');
});

test.each([
  ['maxHistory', 'maxHistorySize'],
  ['timeout', 'eventTimeout'],
  ['max_pending', 'maxPending'],
  ['nam', 'name'],
])('first contact - an option %s: which was meant', (wrong, right) => {
  expect(thrown(() => quietBus({ [wrong]: 1 })).message).toContain(`Did you mean '${right}'?`);
});

test('first contact - an option that is like none: no guess', () => {
  expect(thrown(() => quietBus({ colour: 1 } as never)).message).not.toContain('Did you mean');
});

test('first contact - a complete event dispatched again: nothing runs, and a warning says how', async () => {
  const logger = logRecorder();
  const bus = quietBus({ name: 'Main', logger });
  let runs = 0;
  bus.on(UserLogin, () => `run ${(runs += 1)}`);
  const event = new UserLogin(alice);
  const [first, second] = [bus.dispatch(event), bus.dispatch(event)];
  await Promise.all([first, second]);
  expect(logger.warnings).toEqual([]); // twice under way: both wait for the one
  expect(await bus.dispatch(event).eventResult()).toBe('run 1');
  expect(logger.warnings).toEqual([
    `Main had UserLogin#${event.event_id.slice(-4)} already, and it is complete: nothing runs again. For that, dispatch a copy: Main.dispatch(event.eventReset()).`,
  ]);
  expect(await bus.dispatch(event.eventReset()).eventResult()).toBe('run 2');
});

test('first contact - seconds in place of options: where they go', async () => {
  const bus = quietBus();
  expect((await rejection(bus.waitUntilIdle(5 as never))).message).toContain('got 5 (number). Write { timeout: 5 }.');
  const event = bus.dispatch(new UserLogin(alice));
  expect((await rejection(event.eventResult(2 as never))).message).toBe(
    'Expected the options of a result helper to be an object; got 2 (number). Write { timeout: 2 }.',
  );
});
