import { EventEmitter, once } from 'node:events';
import { BaseEvent, EventBus } from '@threadbus/core';
import { isSemaphoreTimeoutError, retry, retryContext } from '@threadbus/semaphore';
import { expect, onTestFinished, test } from 'vitest';
import { HeldSlot } from '../../../packages/semaphore/dist/retry/held-slots.js';
import { Gauge, gate, settled } from '../gate.ts';
import { LogLines } from '../log-lines.ts';
import { temporaryDirectory, uniqueName } from '../temporary-directory.ts';

type Scope = 'global' | 'multiprocess';

function limited(semaphoreLimit: number, semaphoreScope: Scope = 'global') {
  return retry({
    retries: 0,
    timeout: null,
    logger: new LogLines(),
    semaphoreLimit,
    semaphoreScope,
    semaphoreName: uniqueName(),
    semaphoreDirectory: temporaryDirectory(),
    semaphoreLax: false,
    semaphoreTimeout: 10,
  });
}

async function work(gauge: Gauge, turns = 3): Promise<void> {
  gauge.enter();
  for (let turn = 0; turn < turns; turn++) await settled();
  gauge.leave();
}

const crawls: [string, Scope, number, (children: Promise<void>[]) => Promise<unknown>][] = [
  ['Promise.all', 'global', 1, (all) => Promise.all(all)],
  ['Promise.all', 'global', 2, (all) => Promise.all(all)],
  ['Promise.allSettled', 'global', 3, (all) => Promise.allSettled(all)],
  ['Promise.all', 'multiprocess', 2, (all) => Promise.all(all)],
  [
    'one after the other',
    'global',
    1,
    async (all) => {
      for (const one of all) await one;
    },
  ],
];

test.each(crawls)(
  'nested - a crawler that calls itself, %s, %s, limit %i: never more, and no deadlock',
  async (...of) => {
    const [, scope, limit, wait] = of;
    const gauge = new Gauge();
    const crawl: (depth: number) => Promise<void> = limited(
      limit,
      scope,
    )(async (depth: number): Promise<void> => {
      await work(gauge);
      if (depth > 0) await wait(Array.from({ length: 4 }, () => crawl(depth - 1)));
    });
    await crawl(3);
    expect(gauge).toMatchObject({ now: 0, total: 85 });
    expect(gauge.most).toBeLessThanOrEqual(limit);
  },
);

const waits: [string, (call: () => Promise<number>) => Promise<unknown>][] = [
  ['await', async (call) => await call()],
  ['a helper', async (call) => await (async () => (await call()) + 1)()],
  ['return', (call) => call()],
  ['await later', (call) => settledThen(call())],
  ['then, awaited', async (call) => await call().then((value) => value + 1)],
  ['catch, awaited', async (call) => await call().catch(() => 0)],
  ['finally, awaited', async (call) => await call().finally(() => {})],
  [
    'finally and catch, awaited',
    async (call) =>
      await call()
        .finally(() => {})
        .catch(() => 0),
  ],
  ['Promise.race', async (call) => await Promise.race([call(), new Promise(() => {})])],
  ['Promise.any', async (call) => await Promise.any([call(), new Promise(() => {})])],
  ['new Promise', async (call) => await new Promise((resolve) => resolve(call()))],
];

async function settledThen(call: Promise<number>): Promise<number> {
  await settled();
  return await call;
}

test.each(waits)('nested - a call that its holder waits for runs in the slot: %s', async (_, wait) => {
  const outer = limited(1);
  const inner = outer(async () => {
    await settled();
    return 1;
  });
  expect(await outer(() => wait(inner))()).toBeDefined();
});

const leaves: [string, (call: Promise<void>) => unknown][] = [
  ['nothing', (call) => [call]],
  ['catch', (call) => call.catch(() => {})],
  ['then', (call) => call.then(() => {})],
  [
    'then with both',
    (call) =>
      call.then(
        () => {},
        () => {},
      ),
  ],
  ['finally', (call) => call.finally(() => {})],
  ['then and catch', (call) => call.then(() => {}).catch(() => {})],
];

test.each(leaves)('nested - a call that is not awaited takes a slot of its own: %s', async (_, leave) => {
  const gauge = new Gauge();
  const left: Promise<void>[] = [];
  const wrap = limited(1);
  const inner = wrap(() => work(gauge));
  await wrap(async () => {
    for (let i = 0; i < 5; i++) {
      const call = inner();
      leave(call);
      left.push(call);
    }
    await work(gauge, 10);
  })();
  await Promise.all(left);
  expect(gauge).toMatchObject({ most: 1, total: 6 });
});

test.each([{}, { detached: true }])(
  'nested - handlers of two buses under one lock: one at once, %j',
  async (options) => {
    const [a, b] = [new EventBus(), new EventBus()];
    onTestFinished(async () => {
      await a.stop();
      await b.stop();
    });
    const gauge = new Gauge();
    const lock = limited(1);
    const audited = gate();
    a.on(
      'Order',
      lock(async () => {
        b.dispatch(new BaseEvent({}, { event_type: 'Audit' }), options);
        await work(gauge, 20);
      }),
    );
    b.on(
      'Audit',
      lock(async () => {
        await work(gauge);
        audited.open();
      }),
    );
    await a.dispatch(new BaseEvent({}, { event_type: 'Order' }));
    await audited.opened;
    expect(gauge).toMatchObject({ most: 1, total: 2 });
  },
);

test('nested - a call awaited only after its holder has ended waits like any other', async () => {
  const wrap = limited(1);
  const gauge = new Gauge();
  const inner = wrap(() => work(gauge));
  const [left] = await wrap(async () => {
    await work(gauge);
    return [inner()];
  })();
  await left;
  expect(gauge).toMatchObject({ most: 1, total: 2 });
});

test('nested - a wait for the slot that the holder has counts as semaphoreTimeout, lax included', async () => {
  const options = { retries: 0, semaphoreLimit: 1, semaphoreName: uniqueName(), timeout: null } as const;
  const inner = retry({ ...options, semaphoreTimeout: 0.02, logger: { warn() {}, error() {} } })(
    async () => retryContext().lease,
  );
  const strict = retry({ ...options, semaphoreTimeout: 0.02, semaphoreLax: false })(async () => {});
  await retry(options)(async () => {
    // Not awaited by the holder: its slot stays the holder's.
    const [lax, failed] = [new EventEmitter(), new EventEmitter()];
    const told = [once(lax, 'got'), once(failed, 'got')];
    void inner().then((lease) => lax.emit('got', lease));
    void strict().catch((error: unknown) => failed.emit('got', error));
    const [[lease], [error]] = (await Promise.all(told)) as [[unknown], [unknown]];
    expect(lease).toBeNull();
    expect(isSemaphoreTimeoutError(error)).toBe(true);
  })();
});

test('nested - a result, an error and a rejection that nobody handles are as of any promise', async () => {
  const wrap = limited(1);
  const inner = wrap(async (fails: boolean) => {
    if (fails) throw new Error('inner');
    return 7;
  });
  const found = await wrap(async () => {
    const call = inner(false);
    expect(call).toBeInstanceOf(Promise);
    expect(Object.prototype.toString.call(call)).toBe('[object Promise]');
    return [await call, await inner(true).catch((error: unknown) => String(error))];
  })();
  expect(found).toEqual([7, 'Error: inner']);
});

/** A slot, and the calls in it: every order of lending, ending and returning, on the real object. */
type Action = { readonly do: 'borrow' | 'end'; readonly node: number };

interface Run {
  readonly slots: HeldSlot[];
  readonly parents: number[];
  readonly ended: Set<number>;
  released: number;
}

function play(actions: readonly Action[]): Run {
  const run: Run = { slots: [], parents: [-1], ended: new Set(), released: 0 };
  run.slots.push(new HeldSlot({} as never, {} as never, () => void run.released++));
  for (const action of actions) {
    const slot = run.slots[action.node];
    if (slot === undefined) continue;
    if (action.do === 'borrow') {
      slot.borrow((loan) => {
        run.parents.push(action.node);
        run.slots.push(loan);
      });
    } else {
      run.ended.add(action.node);
      void slot.leave();
    }
  }
  return run;
}

/** Those that run: not ended, and not waiting for a loan of theirs that runs. */
function running({ slots, parents, ended }: Run): number[] {
  const lent = new Set(parents.filter((_, node) => isUnder(node, parents, ended)));
  return slots.map((_, node) => node).filter((node) => !ended.has(node) && !lent.has(node));
}

/** Whether a loan, or one made of it, has not ended: then whoever lent it waits. */
function isUnder(node: number, parents: readonly number[], ended: ReadonlySet<number>): boolean {
  return !ended.has(node) || parents.some((parent, child) => parent === node && isUnder(child, parents, ended));
}

function explore(depth: number, actions: Action[] = []): { states: number; endings: number } {
  const run = play(actions);
  // In one slot one call runs, or none.
  expect(running(run).length).toBeLessThanOrEqual(1);
  const isOver = run.slots.every((_, node) => run.ended.has(node));
  expect(run.released).toBe(isOver ? 1 : 0);
  if (depth === 0) return { states: 1, endings: Number(isOver) };
  let [states, endings] = [1, Number(isOver)];
  for (const node of run.slots.keys()) {
    if (run.ended.has(node)) continue;
    for (const next of ['borrow', 'end'] as const) {
      const found = explore(depth - 1, [...actions, { do: next, node }]);
      states += found.states;
      endings += found.endings;
    }
  }
  return { states, endings };
}

test('nested model - in one slot one call runs at a time, and it is given back once, when all have ended', () => {
  const { states, endings } = explore(7);
  expect(states).toBeGreaterThan(1000);
  expect(endings).toBeGreaterThan(100);
});

test('nested model - the check finds a slot that is lent twice at once', () => {
  const twice: Run = {
    slots: [1, 2, 3].map(() => ({}) as HeldSlot),
    parents: [-1, 0, 0],
    ended: new Set(),
    released: 0,
  };
  expect(running(twice)).toEqual([1, 2]);
});
