import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { gate, ticks } from '../../helpers/gate.ts';

const Root = BaseEvent.extend('Root', {});
const Child = BaseEvent.extend('Child', { n: z.number() });

/** Ids and times differ from run to run. */
function shape(tree: string): string {
  return tree
    .replaceAll(/#[0-9a-f]{4}/g, '#id')
    .replaceAll(/\[\d\d:\d\d:\d\d\.\d{3}( \(\d+\.\d{3}s\))?\]/g, (_, took) =>
      took === undefined ? '[at]' : '[at took]',
    );
}

test('log-tree - events, handlers, children, values, errors and what is not done yet', async () => {
  await using bus = new EventBus({ name: 'TreeBus' });
  const door = gate();
  bus.on(Root, async function rootHandler() {
    await bus.dispatch(new Child({ n: 1 }));
    await bus.dispatch(new Child({ n: 3 }));
    return 'Root processed';
  });
  bus.on(Root, function audit() {
    throw new TypeError('Test error\nmessage');
  });
  bus.on(Child, async function childHandler({ n }) {
    if (n === 9) await door.opened;
    if (n !== 1) return null;
    await bus.dispatch(new Child({ n: 2 }));
    return [1, 2, 3];
  });
  await bus.dispatch(new Root());
  bus.dispatch(new Child({ n: 9 }));
  await ticks();
  bus.dispatch(new Root());
  expect(shape(bus.logTree())).toBe(
    [
      '├── ✅ Root#id [at took]',
      "│   ├── ✅ TreeBus.rootHandler#id [at took] → 'Root processed'",
      '│   │   ├── ✅ Child#id [at took]',
      '│   │   │   └── ✅ TreeBus.childHandler#id [at took] → list(3 items)',
      '│   │   │       └── ✅ Child#id [at took]',
      '│   │   │           └── ✅ TreeBus.childHandler#id [at took] → None',
      '│   │   └── ✅ Child#id [at took]',
      '│   │       └── ✅ TreeBus.childHandler#id [at took] → None',
      '│   └── ❌ TreeBus.audit#id [at took] ☠️ TypeError: Test error message',
      '├── 🏃 Child#id [at]',
      '│   └── 🏃 TreeBus.childHandler#id [at]',
      '└── ⏳ Root#id [at]',
    ].join('\n'),
  );
  door.open();
});

test('log-tree - times are those of the clock in UTC, with what it took', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-03-04T05:06:07.008Z') });
  try {
    await using bus = new EventBus({ name: 'Clock' });
    bus.on(Root, function nap() {
      vi.setSystemTime(Date.parse('2026-03-04T05:06:08.258Z'));
    });
    const event = await bus.dispatch(new Root());
    const [result] = event.event_results.values();
    expect(bus.logTree().split('\n')).toEqual([
      `└── ✅ Root#${event.event_id.slice(-4)} [05:06:07.008 (1.250s)]`,
      `    └── ✅ Clock.nap#${result?.handler_id.slice(-4)} [05:06:07.008 (1.250s)] → None`,
    ]);
  } finally {
    vi.useRealTimers();
  }
});

test('log-tree - values', async () => {
  await using bus = new EventBus({ name: 'Values' });
  class Account {
    readonly id = 1;
  }
  const other = new Child({ n: 1 });
  const values = ["it's\n", 5, 1n, true, { a: 1, b: 2 }, [], new Account(), new Map(), () => 1, other, Symbol('s')];
  for (const value of values) bus.on(Root, () => value);
  await bus.dispatch(new Root());
  const shown = bus
    .logTree()
    .split('\n')
    .slice(1)
    .map((line) => line.split(' → ')[1]);
  expect(shown).toEqual([
    String.raw`"it's\n"`,
    '5',
    '1n',
    'true',
    'dict(2 items)',
    'list(0 items)',
    'Account(...)',
    'Map(...)',
    'Function(...)',
    `Event(Child#${other.event_id.slice(-4)})`,
    'Symbol(s)',
  ]);
});

test('log-tree - an empty history says so', () => {
  expect(new EventBus().logTree()).toBe('(No events in history)');
});

test('log-tree - handlers stand in the order in which they started', async () => {
  await using bus = new EventBus({ name: 'Started' });
  bus.on('*', function late() {});
  bus.on(Root, function early() {});
  await bus.dispatch(new Root());
  expect(
    shape(bus.logTree())
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(' ')[2]),
  ).toEqual(['Started.early#id', 'Started.late#id']);
});

test('log-tree - roots stand in the order of their creation', async () => {
  await using bus = new EventBus();
  const at = (n: number, second: number): BaseEvent =>
    new Child({ n }, { event_created_at: `2026-01-01T00:00:0${second}.000Z` });
  const events = [at(1, 5), at(2, 1), at(3, 3)];
  for (const event of events) await bus.dispatch(event);
  const ids = bus
    .logTree()
    .split('\n')
    .map((line) => /#(\w{4})/.exec(line)?.[1]);
  expect(ids).toEqual([events[1], events[2], events[0]].map((event) => event?.event_id.slice(-4)));
});

test('log-tree - a child that is known by its parent’s id only is shown once, under it', async () => {
  await using bus = new EventBus({ name: 'ById' });
  const parent = await bus.dispatch(new Root());
  await bus.dispatch(new Child({ n: 1 }, { event_parent_id: parent.event_id }));
  expect(shape(bus.logTree())).toBe('└── ✅ Root#id [at took]\n    └── ✅ Child#id [at took]');
});

test('log-tree - a child that is known both ways is shown once, where it was dispatched', async () => {
  await using bus = new EventBus({ name: 'Both' });
  const foreign = await bus.dispatch(new Child({ n: 0 }));
  const own = new Child({ n: 1 });
  const adopted = new Child({ n: 2 }, { event_parent_id: foreign.event_id });
  bus.on(Root, function handle() {
    bus.dispatch(own);
    bus.dispatch(adopted);
  });
  await bus.dispatch(new Root());
  expect(shape(bus.logTree())).toBe(
    [
      '├── ✅ Child#id [at took]',
      '└── ✅ Root#id [at took]',
      '    └── ✅ Both.handle#id [at took] → None',
      '        ├── ✅ Child#id [at took]',
      '        └── ✅ Child#id [at took]',
    ].join('\n'),
  );
});

test('log-tree - an event whose parent is not in the history is a root', async () => {
  await using bus = new EventBus();
  await bus.dispatch(new Child({ n: 1 }, { event_parent_id: '0190a0b0-0000-7000-8000-00000000abcd' }));
  expect(shape(bus.logTree())).toBe('└── ✅ Child#id [at took]');
});

test('log-tree - a child on another bus is shown under its handler here', async () => {
  await using a = new EventBus({ name: 'TreeA' });
  await using b = new EventBus({ name: 'TreeB' });
  a.on(Root, function send() {
    b.dispatch(new Child({ n: 1 }));
  });
  await a.dispatch(new Root());
  expect(shape(a.logTree())).toContain('    └── ✅ TreeA.send#id [at took] → None\n        └── ✅ Child#id [at took]');
  expect(shape(b.logTree())).toBe('└── ✅ Child#id [at took]');
});

test('log-tree - parent ids that lead in circles or to the event itself end, each event shown once', async () => {
  await using bus = new EventBus();
  const id = (n: number): string => `0190a0b0-0000-7000-8000-00000000000${n}`;
  for (const [own, parent] of [
    [1, 2],
    [2, 3],
    [3, 1],
    [4, 4],
    [5, 6],
    [6, 5],
  ] as const) {
    await bus.dispatch(new Child({ n: own }, { event_id: id(own), event_parent_id: id(parent) }));
  }
  expect(shape(bus.logTree())).toBe(
    [
      '├── ✅ Child#id [at took]',
      '│   └── ✅ Child#id [at took]',
      '│       └── ✅ Child#id [at took]',
      '├── ✅ Child#id [at took]',
      '└── ✅ Child#id [at took]',
      '    └── ✅ Child#id [at took]',
    ].join('\n'),
  );
});

test('log-tree - of a chain of 5,000 needs no stack', async () => {
  await using bus = new EventBus({ maxHistorySize: null, maxRecursionDepth: null });
  bus.on(Child, ({ n }) => {
    if (n < 5_000) bus.dispatch(new Child({ n: n + 1 }));
  });
  await bus.dispatch(new Child({ n: 1 }));
  expect(bus.logTree().split('\n')).toHaveLength(10_000);
});
