import { AsyncLocalStorage } from 'node:async_hooks';
import { retry, retryContext } from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { Deadlines } from '../../../packages/semaphore/src/basics/deadlines.ts';
import { gate } from '../../helpers/gate.ts';

const quiet = { retries: 0, logger: { warn: () => {}, error: () => {} } };

test('attempt timeouts - one timer ends all, each in its time, whichever of them have left', async () => {
  const deadlines = new Deadlines(0.03);
  const ended: number[] = [];
  const last = gate();
  const started = performance.now();
  const all = Array.from({ length: 6 }, (_, i) =>
    deadlines.start(() => {
      ended.push(i);
      if (i === 5) last.open();
    }),
  );
  for (const i of [0, 2, 4]) all[i]?.stop();
  await last.opened;
  expect(ended).toEqual([1, 3, 5]);
  expect(performance.now() - started).toBeGreaterThanOrEqual(30);
  for (const deadline of all) deadline.stop();
});

test('attempt timeouts - a time that begins while another runs ends in its own time', async () => {
  const deadlines = new Deadlines(0.04);
  const first = deadlines.start(() => {});
  await new Promise((resolve) => setTimeout(resolve, 20));
  const started = performance.now();
  await new Promise<void>((resolve) => {
    deadlines.start(resolve);
    first.stop();
  });
  expect(performance.now() - started).toBeGreaterThanOrEqual(40);
});

test('attempt timeouts - nothing that is over keeps the process alive or leaves a timer', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const deadlines = new Deadlines(1000);
  const all = [deadlines.start(() => {}), deadlines.start(() => {})];
  await new Promise((resolve) => setImmediate(resolve));
  expect(timers()).toBe(before + 1);
  for (const deadline of all) deadline.stop();
  expect(timers()).toBe(before);
});

test("attempt timeouts - the shared timer keeps nobody's async context", async () => {
  const user = new AsyncLocalStorage<string>();
  const deadlines = new Deadlines(0.01);
  const heard = await user.run(
    'ann',
    () => new Promise<string | undefined>((resolve) => void deadlines.start(() => resolve(user.getStore()))),
  );
  expect(heard).toBeUndefined();
});

test("attempt timeouts - a function's abort listener runs in the async context of its own call", async () => {
  const user = new AsyncLocalStorage<string>();
  const heard: (string | undefined)[] = [];
  const fn = retry({ ...quiet, timeout: 0.02 })(
    () =>
      new Promise<void>(() => {
        retryContext().signal.addEventListener('abort', () => heard.push(user.getStore()));
      }),
  );
  const calls = ['ann', 'bob'].map((name) => user.run(name, () => fn()));
  const ends = await Promise.allSettled(calls);
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(heard).toEqual(['ann', 'bob']);
});

test('attempt timeouts - the signal that is asked for after the end is aborted with the same error', async () => {
  const over = gate();
  let late: unknown;
  const fn = retry({ ...quiet, timeout: 0.01 })(async () => {
    const context = retryContext();
    await over.opened;
    late = context.signal.reason;
  });
  const error: unknown = await fn().catch((reason: unknown) => reason);
  over.open();
  await new Promise((resolve) => setImmediate(resolve));
  expect(error).toMatchObject({ name: 'AttemptTimeoutError' });
  expect(late).toBe(error);
});

test.each<[string, () => unknown]>([
  ['a value', () => 1],
  ['an object', () => ({ n: 1 })],
  // oxlint-disable-next-line unicorn/no-thenable -- what is awaited may be one
  ['a thenable', () => ({ then: (resolve: (value: number) => void) => resolve(1) })],
  ['a promise of a class of its own', () => new (class Own<T> extends Promise<T> {})<number>((resolve) => resolve(1))],
])('attempt timeouts - %s that a function gives, and what it throws at once, settle the call', async (_, give) => {
  for (const timeout of [5, null]) {
    expect(await retry({ ...quiet, timeout })(give)()).toEqual(await give());
    const throws = retry({ ...quiet, timeout })((): unknown => {
      throw new Error('at once');
    });
    await expect(throws()).rejects.toThrow('at once');
  }
});
