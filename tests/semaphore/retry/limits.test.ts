import {
  inspect,
  isSemaphoreLimitError,
  isSemaphoreTimeoutError,
  retry,
  retryContext,
  type RetryOptions,
} from '@threadbus/semaphore';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Gauge, gate, settled } from '../gate.ts';
import { LogLines } from '../log-lines.ts';
import { temporaryDirectory, uniqueName } from '../temporary-directory.ts';

/** A function that is inside its limit from its call to its return, a few turns later. */
function measured(options: RetryOptions, gauge = new Gauge()) {
  const run = retry({ retries: 0, semaphoreTimeout: 10, ...options })(async () => {
    gauge.enter();
    for (let turn = 0; turn < 5; turn++) await settled();
    gauge.leave();
  });
  return { gauge, run };
}

const times = (count: number, run: () => Promise<unknown>): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, run));

test('limit - at most so many calls run at once', async () => {
  const { gauge, run } = measured({ semaphoreLimit: 2 });
  await times(10, run);
  expect(gauge).toMatchObject({ most: 2, total: 10 });
});

test('limit - functions with the same explicit name share the slots', async () => {
  const gauge = new Gauge();
  const options = { semaphoreLimit: 2, semaphoreName: uniqueName() };
  const [a, b] = [measured(options, gauge), measured(options, gauge)];
  await Promise.all([times(5, a.run), times(5, b.run)]);
  expect(gauge.most).toBe(2);
});

test('limit - without a name functions share only with themselves, also if they are called the same', async () => {
  const gauge = new Gauge();
  const [a, b] = [measured({ semaphoreLimit: 1 }, gauge), measured({ semaphoreLimit: 1 }, gauge)];
  await Promise.all([times(5, a.run), times(5, b.run)]);
  expect(gauge.most).toBe(2);
});

test('limit - one function wrapped twice shares with itself', async () => {
  const gauge = new Gauge();
  const fn = async (): Promise<void> => {
    gauge.enter();
    for (let turn = 0; turn < 5; turn++) await settled();
    gauge.leave();
  };
  const wrap = retry({ semaphoreLimit: 1, retries: 0 });
  await Promise.all([times(3, wrap(fn)), times(3, wrap(fn))]);
  expect(gauge.most).toBe(1);
});

test('limit - scope class: instances of one class share, other classes of the same name and subclasses do not', async () => {
  const gauges = new Map<unknown, Gauge>();
  const make = () =>
    class Service {
      @retry({ semaphoreLimit: 1, semaphoreScope: 'class', retries: 0 })
      async run(): Promise<void> {
        await enter(this.constructor);
      }

      @retry({ semaphoreLimit: 2, semaphoreScope: 'class', retries: 0 })
      static async run(): Promise<void> {
        await enter(this);
      }
    };
  const all = new Gauge();
  async function enter(owner: unknown): Promise<void> {
    const gauge = gauges.get(owner) ?? new Gauge();
    gauges.set(owner, gauge);
    for (const one of [gauge, all]) one.enter();
    for (let turn = 0; turn < 5; turn++) await settled();
    for (const one of [gauge, all]) one.leave();
  }
  const [First, Second] = [make(), make()];
  class Derived extends First {}
  const instances = [First, Second, Derived].flatMap((Type) => [new Type(), new Type()]);
  await Promise.all(instances.flatMap((instance) => [instance.run(), instance.run()]));
  expect([...gauges.values()].map(({ most }) => most)).toEqual([1, 1, 1]);
  expect(all.most).toBe(3);
  gauges.clear();
  await times(6, () => First.run());
  expect([...gauges.values()].map(({ most }) => most)).toEqual([2]);
});

test('limit - scope self: each instance has its own slots', async () => {
  const all = new Gauge();
  class Service {
    readonly gauge = new Gauge();

    @retry({ semaphoreLimit: 1, semaphoreScope: 'self', retries: 0 })
    async run(): Promise<void> {
      for (const one of [this.gauge, all]) one.enter();
      for (let turn = 0; turn < 5; turn++) await settled();
      for (const one of [this.gauge, all]) one.leave();
    }
  }
  const [a, b] = [new Service(), new Service()];
  await Promise.all([a.run(), a.run(), b.run(), b.run()]);
  expect([a.gauge.most, b.gauge.most, all.most]).toEqual([1, 1, 2]);
});

test('limit - scope class: methods with one explicit name share, others do not', async () => {
  const [named, unnamed] = [new Gauge(), new Gauge()];
  const work = async (gauge: Gauge): Promise<void> => {
    gauge.enter();
    for (let turn = 0; turn < 5; turn++) await settled();
    gauge.leave();
  };
  class Service {
    @retry({ semaphoreLimit: 1, semaphoreScope: 'class', semaphoreName: 'both' })
    async a(): Promise<void> {
      await work(named);
    }

    @retry({ semaphoreLimit: 1, semaphoreScope: 'class', semaphoreName: 'both' })
    async b(): Promise<void> {
      await work(named);
    }

    @retry({ semaphoreLimit: 1, semaphoreScope: 'class' })
    async c(): Promise<void> {
      await work(unnamed);
    }

    @retry({ semaphoreLimit: 1, semaphoreScope: 'class' })
    async d(): Promise<void> {
      await work(unnamed);
    }
  }
  const service = new Service();
  await Promise.all([service.a(), service.b(), service.c(), service.d()]);
  expect([named.most, unnamed.most]).toEqual([1, 2]);
});

test.each(['class', 'self'] as const)(
  'limit - scope %s without `this` counts over all calls',
  async (semaphoreScope) => {
    const { gauge, run } = measured({ semaphoreLimit: 1, semaphoreScope });
    await times(4, () => run());
    expect(gauge.most).toBe(1);
  },
);

test.each(['global', 'multiprocess', 'class'] as const)(
  'limit - another limit under the same name is an error: %s',
  async (semaphoreScope) => {
    const semaphoreName = uniqueName();
    const directory = { semaphoreDirectory: temporaryDirectory() };
    class Owner {
      @retry({ semaphoreName, semaphoreScope, semaphoreLimit: 1, retries: 0, ...directory })
      async one(): Promise<string> {
        return 'one';
      }

      @retry({ semaphoreName, semaphoreScope, semaphoreLimit: 4, retries: 0, ...directory })
      async four(): Promise<string> {
        return 'four';
      }
    }
    expect(await new Owner().one()).toBe('one');
    const error: unknown = await new Owner().four().catch((thrown: unknown) => thrown);
    expect(isSemaphoreLimitError(error)).toBe(true);
    expect(error).toMatchObject({ semaphore: semaphoreName, limit: 4, existing: 1, code: 'ERR_SEMAPHORE_LIMIT' });
    expect(String(error)).toMatch(/to have one limit everywhere, got 4 where it is in use with 1: use the same limit/);
    expect(await new Owner().one()).toBe('one');
  },
);

test('limit - the slot is held over all attempts and the waits between them, then free', async () => {
  const order: string[] = [];
  const run = retry({ semaphoreLimit: 1, retries: 1, wait: 0.01, logger: new LogLines() })(async (name: string) => {
    order.push(name);
    if (retryContext().attempt === 1) throw new Error('again');
  });
  await Promise.all([run('a'), run('b')]);
  expect(order).toEqual(['a', 'a', 'b', 'b']);
});

test.each([
  ['success', async () => {}],
  ['failure', async () => Promise.reject(new Error('failed'))],
  ['a timed-out attempt', () => new Promise<void>(() => {})],
])('limit - the slot is free again after %s', async (_, fn) => {
  const run = retry({
    semaphoreLimit: 1,
    retries: 0,
    timeout: 0.02,
    semaphoreLax: false,
    semaphoreTimeout: 5,
    logger: new LogLines(),
  })(fn);
  const outcomes = await Promise.allSettled([run(), run(), run()]);
  expect(
    outcomes.filter((outcome) => outcome.status === 'rejected' && isSemaphoreTimeoutError(outcome.reason)),
  ).toEqual([]);
});

test('limit - an abort gives the slot back at once, although the function goes on', async () => {
  const controller = new AbortController();
  const started = gate();
  const run = retry({ semaphoreLimit: 1, retries: 0, semaphoreLax: false, semaphoreTimeout: 5 })(async (
    _: { signal?: AbortSignal },
    wait: Promise<void> | undefined,
    options: { signal?: AbortSignal },
  ) => {
    started.open();
    await wait;
    return options.signal?.aborted ?? 'ran';
  });
  const stuck = run({}, new Promise(() => {}), { signal: controller.signal });
  await started.opened;
  const next = run({}, undefined, {});
  controller.abort(new Error('stop'));
  await expect(stuck).rejects.toThrow('stop');
  expect(await next).toBe('ran');
});

test("limit - the last argument's signal ends the wait for a slot, and is not covered by lax", async () => {
  const hold = gate();
  const run = retry({ semaphoreLimit: 1, retries: 0, semaphoreTimeout: null })(
    async (options: { signal?: AbortSignal }) => hold.opened.then(() => options),
  );
  const first = run({});
  const controller = new AbortController();
  const second = run({ signal: controller.signal });
  await settled();
  controller.abort(new Error('stop'));
  await expect(second).rejects.toThrow('stop');
  hold.open();
  await first;
});

test('limit - lax: a wait that timed out warns, and the call runs without a slot', async () => {
  const logger = new LogLines();
  const hold = gate();
  const semaphoreName = uniqueName();
  const run = retry({ semaphoreLimit: 1, semaphoreName, semaphoreTimeout: 0.02, retries: 0, logger })(async (
    wait: Promise<void>,
  ) => {
    await wait;
    return retryContext().lease;
  });
  const first = run(hold.opened);
  expect(await run(Promise.resolve())).toBeNull();
  expect(logger.warnings).toEqual([
    `Failed to acquire semaphore "${semaphoreName}" after 0.0s, proceeding without concurrency limit`,
  ]);
  hold.open();
  expect(await first).not.toBeNull();
});

test('limit - strict: a wait that timed out throws, and the function is never called', async () => {
  const hold = gate();
  const semaphoreName = uniqueName();
  let calls = 0;
  const run = retry({
    semaphoreLimit: 1,
    semaphoreName,
    semaphoreTimeout: 0.02,
    semaphoreLax: false,
    timeout: 7,
    retries: 3,
  })(async () => {
    calls++;
    await hold.opened;
  });
  const first = run();
  await expect(run()).rejects.toThrow(
    `Failed to acquire semaphore "${semaphoreName}" within 0.02s (limit=1, timeout=7s per operation)`,
  );
  expect(calls).toBe(1);
  hold.open();
  await first;
});

test('limit - semaphoreTimeout: 0 does not wait', async () => {
  const hold = gate();
  const run = retry({ semaphoreLimit: 1, semaphoreTimeout: 0, semaphoreLax: false, retries: 0 })(() => hold.opened);
  const first = run();
  await expect(run()).rejects.toSatisfy(isSemaphoreTimeoutError);
  hold.open();
  await first;
});

test('limit - timeout: null waits for a slot without limit', async () => {
  const hold = gate();
  const run = retry({ semaphoreLimit: 1, timeout: null, semaphoreLax: false, retries: 0 })(() => hold.opened);
  const both = [run(), run()];
  await settled();
  hold.open();
  expect(await Promise.all(both)).toEqual([undefined, undefined]);
});

test.each(['global', 'multiprocess'] as const)(
  'limit - a call that needs a slot which its own chain holds runs inside it: %s',
  async (semaphoreScope) => {
    const options = {
      semaphoreScope,
      semaphoreLimit: 1,
      semaphoreName: uniqueName(),
      semaphoreDirectory: temporaryDirectory(),
      semaphoreLax: false,
      semaphoreTimeout: 0.2,
      retries: 0,
    } as const;
    const inner = retry(options)(async () => retryContext().lease);
    const outer = retry(options)(async () => {
      await settled();
      return [retryContext().lease, await inner()];
    });
    const [own, nested] = await outer();
    expect(nested).toBe(own);
    expect(own).not.toBeNull();
  },
);

test('limit - what a chain leaves running keeps the slot, what it starts after the end needs its own', async () => {
  const options = { semaphoreLimit: 1, semaphoreName: uniqueName(), semaphoreLax: false, retries: 0 } as const;
  const [inside, after] = [gate(), gate()];
  const inner = retry({ ...options, semaphoreTimeout: 0.05 })(async (wait: Promise<void>) => wait);
  let left: Promise<void> | undefined;
  let later: Promise<unknown> | undefined;
  await retry(options)(async () => {
    left = inner(inside.opened);
    later = after.opened.then(() => inner(Promise.resolve())).catch((error: unknown) => error);
  })();
  // The first call left one behind, which still runs in the slot.
  await expect(inner(Promise.resolve())).rejects.toSatisfy(isSemaphoreTimeoutError);
  inside.open();
  await left;
  const hold = gate();
  const other = inner(hold.opened);
  await settled();
  // That chain has given its slot back: its late call has to wait like any other.
  after.open();
  expect(isSemaphoreTimeoutError(await later)).toBe(true);
  hold.open();
  await other;
});

test('limit - a chain of calls that each start the next one keeps nothing of the old ones', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const end = gate();
  let first: WeakRef<object> | undefined;
  let last: unknown;
  const run = retry({ semaphoreLimit: 1, retries: 0, semaphoreLax: false })(async (left: number): Promise<void> => {
    const context = retryContext();
    first ??= new WeakRef(context);
    if (left > 0) {
      setImmediate(() => void run(left - 1));
      return;
    }
    // Still inside the chain: its async context is the last of them all.
    await settled();
    collect();
    last = retryContext();
    end.open();
  });
  await run(20);
  await end.opened;
  expect(last).toBeDefined();
  expect(first?.deref()).toBeUndefined();
});

test('inspect - shows the semaphores that retry has made', async () => {
  const semaphoreName = uniqueName();
  const hold = gate();
  const run = retry({ semaphoreLimit: 3, semaphoreName })(() => hold.opened);
  const running = [run(), run()];
  await settled();
  const report = (await inspect()).find(({ name }) => name === semaphoreName);
  expect(report).toMatchObject({ scope: 'global', limit: 3, waiters: [] });
  expect(report?.holders).toHaveLength(2);
  hold.open();
  await Promise.all(running);
});
