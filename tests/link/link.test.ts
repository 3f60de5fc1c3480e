import {
  BaseEvent,
  EventBus,
  isBusCapacityError,
  isBusStoppedError,
  isTimeoutError,
  isUnserializableError,
} from '@threadbus/core';
import { isLinkError, linkBuses } from '@threadbus/worker';
import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, rejection } from '../helpers/gate.ts';
import { quietBus } from '../helpers/quiet-bus.ts';
import { FarEnd } from './far-end.ts';
import { linkPair } from './link-pair.ts';

const Work = BaseEvent.extend('Work', { n: z.number() });
const Other = BaseEvent.extend('Other', {});

test('link - two buses of one thread, both ways', async () => {
  const { here, there, down, up } = await linkPair();
  here.on(Work, ({ n }) => `here ${n}`);
  there.on(Work, ({ n }) => `there ${n}`);
  expect(await down.dispatch(new Work({ n: 1 })).eventResult()).toBe('there 1');
  expect(await up.dispatch(new Work({ n: 2 })).eventResult()).toBe('here 2');
  expect(down.name).toBe(there.name);
  expect(down.id).toBe(there.id);
});

test('link - usable at once: what is sent before the handshake waits for it', async () => {
  const here = quietBus({ name: 'Early' });
  const there = quietBus({ name: 'Late' });
  there.on(Work, ({ n }) => n);
  const { port1, port2 } = new MessageChannel();
  const down = linkBuses(here, port1);
  const sent = down.dispatch(new Work({ n: 1 })).eventResult();
  using up = linkBuses(there, port2);
  expect(await sent).toBe(1);
  expect((await down).name).toBe('Late');
  expect(up.name).toBe('Early');
});

test('link - two buses of one name are refused, and so is a name that another link has', async () => {
  const { down } = await linkPair();
  for (const name of ['Same', down.name]) {
    const { port1, port2 } = new MessageChannel();
    await using bus = new EventBus({ name: 'Same' });
    const linking = rejection(linkBuses(bus, port1));
    new FarEnd(port2).greet(name, 'another id');
    const error = await linking;
    expect(isLinkError(error)).toBe(true);
    expect(error.message).toContain(`Two linked buses are called "${name}"`);
    port2.close();
  }
});

test('link - a port whose other end closes before the handshake', async () => {
  const { port1, port2 } = new MessageChannel();
  const bus = quietBus({ name: 'Lonely' });
  const down = linkBuses(bus, port1);
  const sent = down.dispatch(new Work({ n: 1 })).eventResult();
  port2.close();
  expect(isLinkError(await rejection(down))).toBe(true);
  expect(isLinkError(await rejection(sent))).toBe(true);
});

test('link - one that closes midway fails what is under way, on both sides, and nothing hangs', async () => {
  const { there, down, up } = await linkPair();
  const door = gate();
  there.on(Work, () => door.opened);
  const sent = Array.from({ length: 300 }, (_, n) => down.dispatch(new Work({ n })));
  const expected = rejection(down.expect('Never'));
  await there.expect(Work);
  down.close();
  for (const dispatch of sent) expect(isLinkError(await rejection(dispatch.eventResult()))).toBe(true);
  expect(isLinkError(await expected)).toBe(true);
  expect(() => down.dispatch(new Work({ n: 0 }))).toThrow('was closed');
  door.open();
  expect(await there.waitUntilIdle({ timeout: 10 })).toBe(true);
  expect(isLinkError(await rejection(up.expect('Never', { timeout: 5 })))).toBe(true);
});

test('link - a port that closes under an event does the same', async () => {
  const { there, down, ports } = await linkPair();
  there.on(Work, async () => {
    const closed = once(ports[0], 'close');
    ports[1].close();
    await closed;
  });
  expect(isLinkError(await rejection(down.dispatch(new Work({ n: 1 })).eventResult()))).toBe(true);
});

test('link - a stopped bus ends its links', async () => {
  const { here, there, down, up } = await linkPair();
  there.on(Work, () => new Promise(() => undefined));
  const sent = down.dispatch(new Work({ n: 1 }));
  await there.expect(Work);
  await here.stop();
  const error = await rejection(sent.eventResult());
  expect(isBusStoppedError(error) || isLinkError(error)).toBe(true);
  await there.stop();
  expect(() => up.dispatch(new Work({ n: 1 }))).toThrow('was stopped');
});

test('link - an event with a getter that throws fails alone, and takes no place on the wire', async () => {
  const { there, down } = await linkPair({ maxInFlight: 1 });
  there.on(Work, ({ n }) => n);
  const bad = (fields: number): BaseEvent => {
    const event = new Work({ n: 1, ...Object.fromEntries(Array.from({ length: fields }, (_, i) => [`f${i}`, i])) });
    const get = (): never => {
      throw new RangeError('no such thing');
    };
    return Object.defineProperty(event, 'bad', { enumerable: true, get });
  };
  // Of the second kind there are too many fields for a row.
  for (const fields of [0, 100]) {
    const error = await rejection(down.dispatch(bad(fields)).eventResult());
    expect(error.name).toBe('UnserializableError');
    expect(error.message).toContain('Work: field "bad" (a getter that throws) cannot cross a thread boundary');
    expect(await down.dispatch(new Work({ n: 7 })).eventResult()).toBe(7);
  }
});

test('link - what a function dispatches and awaits goes ahead of events that came in the same frame', async () => {
  const { here, there, down, up } = await linkPair();
  const order: string[] = [];
  const over = gate();
  // One event, which goes over the link twice in one turn: to the bus there, and to a function for this one.
  here.on('Both', async () => {
    order.push('first');
    await over.opened;
  });
  here.on('Child', () => {
    order.push('child');
    over.open();
  });
  there.on('Both', up.dispatch);
  down.on('Both', async () => {
    await here.dispatch(new BaseEvent({}, { event_type: 'Child' }));
  });
  await down.dispatch(new Work({ n: 1 }));
  await there.dispatch(new BaseEvent({}, { event_type: 'Both' }));
  expect(order).toEqual(['child', 'first']);
});

test('link - options that make no sense are refused, with what was expected', () => {
  const { port1 } = new MessageChannel();
  const bus = quietBus({ name: 'Checked' });
  const linking = (options: object) => () => linkBuses(bus, port1, options);
  expect(linking({ maxInFlight: 0 })).toThrow('Expected maxInFlight to be above 0, or null for none; got 0.');
  expect(linking({ maxPending: Number.NaN })).toThrow('Expected maxPending to be above 0, or null for none; got NaN.');
  expect(linking({ maxInFlight: '8' })).toThrow('Expected maxInFlight to be a number or null; got the string "8".');
  expect(linking({ maxInflight: 8 })).toThrow(
    "linkBuses has no option 'maxInflight'. It has: maxInFlight, maxPending. Did you mean 'maxInFlight'?",
  );
  port1.close();
});

test('link - an event that cannot cross ends an expectation at the other end, and nothing else', async () => {
  const { there, down } = await linkPair();
  const expected = rejection(down.expect('Odd'));
  const others = [down.expect('Fine'), down.expect('Fine', { include: ({ n }) => n === 2 })];
  const next = down.expect('Never', { timeout: 0.2 });
  await down.dispatch(new Other({}));
  there.dispatch(new BaseEvent({ n: 1 }, { event_type: 'Fine' }));
  there.dispatch(new BaseEvent({ list: [{ call: () => 1 }] }, { event_type: 'Odd' }));
  there.dispatch(new BaseEvent({ n: 2 }, { event_type: 'Fine' }));
  const error = await expected;
  expect(isUnserializableError(error)).toBe(true);
  expect(error.message).toMatch(
    /^Odd: field "list\[0\]\.call" \(function call\) cannot cross a thread boundary; the event was not sent to Here/,
  );
  expect((await Promise.all(others)).map((event) => event['n'])).toEqual([1, 2]);
  expect(isTimeoutError(await rejection(next))).toBe(true);
});

test('flow - more than maxPending waiting on this side are refused, and leave no trace', async () => {
  const { there, down } = await linkPair({ maxInFlight: 2, maxPending: 3 });
  const door = gate();
  there.on(Work, () => door.opened);
  const sent = Array.from({ length: 5 }, (_, n) => down.dispatch(new Work({ n })));
  const refused = new Work({ n: 9 });
  let error: unknown = null;
  try {
    down.dispatch(refused);
  } catch (thrown) {
    error = thrown;
  }
  expect(isBusCapacityError(error)).toBe(true);
  expect((error as Error).message).toContain('2 events on the wire and 3 waiting on this side (3 max)');
  expect([refused.event_path, refused.event_status]).toEqual([[], 'pending']);
  door.open();
  await Promise.all(sent);
  await down.dispatch(refused);
});

test('flow - no more than maxInFlight are on the wire; waitForCapacity serves in order', async () => {
  const { there, down } = await linkPair({ maxInFlight: 4, maxPending: 100 });
  const arrived: number[] = [];
  const doors = Array.from({ length: 10 }, () => gate());
  there.observe({ dispatched: (event) => arrived.push((event as InstanceType<typeof Work>).n) });
  there.on(Work, ({ n }) => doors[n]?.opened);
  const sent = Array.from({ length: 8 }, (_, n) => down.dispatch(new Work({ n })));
  await there.expect(Work);
  const served: string[] = [];
  const waits = ['a', 'b'].map(async (name) => {
    await down.waitForCapacity();
    served.push(name);
  });
  expect(arrived.length).toBeLessThanOrEqual(4);
  expect(served).toEqual([]);
  for (const door of doors) door.open();
  await Promise.all([...sent, ...waits]);
  expect(arrived).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(served).toEqual(['a', 'b']);
});

test('flow - a window of 8 does not block parents whose children come back over it', async () => {
  const { here, there, down, up } = await linkPair({ maxInFlight: 8 });
  here.on(Other, () => 'child');
  there.on(Work, async ({ n }) => {
    if (n % 2 === 0) return await up.dispatch(new Other({})).eventResult();
    up.dispatch(new Other({}));
    await down.dispatch(new BaseEvent({}, { event_type: 'Nobody' }));
    return 'child';
  });
  const sent = Array.from({ length: 64 }, (_, n) => down.dispatch(new Work({ n })).eventResult());
  expect(await Promise.all(sent)).toEqual(Array(64).fill('child'));
});

test('order - 100,000 events over one link arrive in the order of their dispatch, as do their results', async () => {
  const { there, down } = await linkPair({ maxPending: 200_000 }, { maxHistorySize: 0 });
  const count = 100_000;
  let next = 0;
  let wrong = 0;
  there.on('Work', (event) => {
    if (event['n'] !== next) wrong += 1;
    next += 1;
  });
  let answered = 0;
  let wrongAnswers = 0;
  for (let n = 0; n < count; n += 1) {
    if (n % 100 === 0) await down.waitForCapacity();
    const sent = down.dispatch(new BaseEvent({ n }, { event_type: 'Work' }));
    void sent.then(() => {
      if (answered !== n) wrongAnswers += 1;
      answered += 1;
    });
    if (n === count - 1) await sent;
  }
  expect({ next, wrong, answered, wrongAnswers }).toEqual({ next: count, wrong: 0, answered: count, wrongAnswers: 0 });
}, 60_000);

test('order - on, off and expect keep their place among events', async () => {
  const { there, down } = await linkPair();
  const seen: number[] = [];
  there.on(Work, () => undefined);
  for (let n = 0; n < 50; n += 1) {
    const off = down.on(Work, (event) => void seen.push(event.n));
    down.dispatch(new Work({ n }));
    await down.dispatch(new Other({}));
    off();
    // Matching is fixed when an event starts: before the next one is registered.
    await down.dispatch(new Work({ n: -1 }));
  }
  expect(seen).toEqual(Array.from({ length: 50 }, (_, n) => n));
});
