import { BaseEvent, EventBus } from '@threadbus/core';
import * as abx from 'abxbus';
import { z } from 'zod';
import { contest } from './contest.ts';
import { check, type Contestant } from './scenario.ts';

const Outer = BaseEvent.extend('Outer', {});
const Inner = BaseEvent.extend('Inner', {});
const Numbered = BaseEvent.extend('Numbered', { n: z.number() });
const TheirOuter = abx.BaseEvent.extend('Outer', {});
const TheirInner = abx.BaseEvent.extend('Inner', {});
const TheirNumbered = abx.BaseEvent.extend('Numbered', { n: z.number() });

const history = { max_history_size: 512, max_history_drop: true };
/** Sent or waited for at once. */
const batch = 100;

const childOurs: Contestant = async (events, measure) => {
  await using bus = new EventBus({ maxHistorySize: 512 });
  let handled = 0;
  bus.on(Inner, () => void (handled += 1));
  bus.on(Outer, async () => void (await bus.dispatch(new Inner())));
  await measure(async () => {
    for (let n = 0; n < events; n += 1) await bus.dispatch(new Outer());
  });
  check(handled, events);
};

const childTheirs: Contestant = async (events, measure) => {
  const bus = new abx.EventBus('Nested', history);
  let handled = 0;
  bus.on(TheirInner, () => void (handled += 1));
  bus.on(TheirOuter, async (event) => void (await event.emit(TheirInner({})).now()));
  await measure(async () => {
    for (let n = 0; n < events; n += 1) await bus.emit(TheirOuter({})).wait();
  });
  check(handled, events);
  await bus.destroy();
};

const forwardOurs: Contestant = async (events, measure) => {
  await using a = new EventBus({ maxHistorySize: 512 });
  await using b = new EventBus({ maxHistorySize: 512 });
  await using c = new EventBus({ maxHistorySize: 512 });
  let handled = 0;
  a.on('*', b.dispatch);
  b.on('*', c.dispatch);
  for (const bus of [a, b, c]) bus.on(Outer, () => void (handled += 1));
  await measure(async () => {
    for (let sent = 0; sent < events; sent += batch) {
      for (let n = 0; n < batch; n += 1) a.dispatch(new Outer());
      await a.waitUntilIdle();
    }
  });
  check(handled, events * 3);
};

const forwardTheirs: Contestant = async (events, measure) => {
  const [a, b, c] = [new abx.EventBus('A', history), new abx.EventBus('B', history), new abx.EventBus('C', history)];
  let handled = 0;
  a.on('*', b.emit.bind(b));
  b.on('*', c.emit.bind(c));
  for (const bus of [a, b, c]) bus.on(TheirOuter, () => void (handled += 1));
  await measure(async () => {
    for (let sent = 0; sent < events; sent += batch) {
      for (let n = 0; n < batch; n += 1) a.emit(TheirOuter({}));
      for (const bus of [a, b, c]) await bus.waitUntilIdle();
    }
  });
  check(handled, events * 3);
  for (const bus of [a, b, c]) await bus.destroy();
};

const expectOurs: Contestant = async (waits, measure) => {
  await using bus = new EventBus({ maxHistorySize: 512 });
  let found = 0;
  await measure(async () => {
    for (let done = 0; done < waits; done += batch) {
      const all = Array.from({ length: batch }, (_, n) => bus.expect(Numbered, { include: (event) => event.n === n }));
      for (let n = 0; n < batch; n += 1) bus.dispatch(new Numbered({ n }));
      found += (await Promise.all(all)).length;
      await bus.waitUntilIdle();
    }
  });
  check(found, waits);
};

const expectTheirs: Contestant = async (waits, measure) => {
  const bus = new abx.EventBus('Expect', history);
  let found = 0;
  await measure(async () => {
    for (let done = 0; done < waits; done += batch) {
      const all = Array.from({ length: batch }, async (_, n) =>
        bus.find(TheirNumbered, (event) => event.n === n, { past: false, future: true }),
      );
      for (let n = 0; n < batch; n += 1) bus.emit(TheirNumbered({ n }));
      for (const event of await Promise.all(all)) if (event !== null) found += 1;
      await bus.waitUntilIdle();
    }
  });
  check(found, waits);
  await bus.destroy();
};

const findOurs: Contestant = async (finds, measure) => {
  await using bus = new EventBus({ maxHistorySize: 512, maxPending: null });
  for (let n = 0; n < 512; n += 1) bus.dispatch(new Numbered({ n }));
  await bus.waitUntilIdle();
  let found = 0;
  await measure(async () => {
    for (let n = 0; n < finds; n += 1) {
      if ((await bus.find(Numbered, { where: (event) => event.n === n % 512 })) !== null) found += 1;
    }
  });
  check(found, finds);
};

const findTheirs: Contestant = async (finds, measure) => {
  const bus = new abx.EventBus('Find', history);
  for (let n = 0; n < 512; n += 1) bus.emit(TheirNumbered({ n }));
  await bus.waitUntilIdle();
  let found = 0;
  await measure(async () => {
    for (let n = 0; n < finds; n += 1) {
      if ((await bus.find(TheirNumbered, (event) => event.n === n % 512)) !== null) found += 1;
    }
  });
  check(found, finds);
  await bus.destroy();
};

const shared = { ratio: '× as fast', size: 10_000, quick: 1_000 } as const;

/** What emitters don't have: children, forwarding, and waiting for or finding events. */
export const nested = contest('nested', [
  {
    ...shared,
    name: 'nested awaited child',
    unit: 'µs per pair',
    contestants: { threadbus: childOurs, abxbus: childTheirs },
  },
  {
    ...shared,
    name: 'forward over 3 buses',
    unit: 'µs per event',
    contestants: { threadbus: forwardOurs, abxbus: forwardTheirs },
  },
  {
    ...shared,
    name: 'expect, 100 waiting',
    unit: 'µs per wait',
    contestants: { threadbus: expectOurs, abxbus: expectTheirs },
  },
  {
    ...shared,
    name: 'find in 512',
    unit: 'µs per find',
    contestants: { threadbus: findOurs, abxbus: findTheirs },
  },
]);
