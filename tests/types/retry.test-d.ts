import {
  inspect,
  isSemaphoreTimeoutError,
  MultiprocessSemaphore,
  retry,
  retryAttempts,
  retryContext,
  Semaphore,
  type Lease,
  type RetryContext,
  type RetryOptions,
  type SemaphoreTimeoutError,
  type SlotPool,
  type SlotReport,
} from '@threadbus/semaphore';
import { expectTypeOf, test } from 'vitest';

test('retry - a wrapped function keeps its arguments, and gives a promise of what it gave', () => {
  const load = retry({ retries: 1 })(async (url: string, tries?: number) => [url, tries] as const);
  expectTypeOf(load).parameters.toEqualTypeOf<[url: string, tries?: number | undefined]>();
  expectTypeOf(load).returns.toEqualTypeOf<Promise<readonly [string, number | undefined]>>();
  // @ts-expect-error a number is no url
  void load(1);
  // @ts-expect-error too many arguments
  void load('a', 1, 2);
  // @ts-expect-error the result is a promise
  expectTypeOf(load).returns.toEqualTypeOf<readonly [string, number | undefined]>();
});

test('retry - a sync function becomes async, a promise of a promise does not', () => {
  const parse = retry()((text: string) => Number(text));
  expectTypeOf(parse).returns.toEqualTypeOf<Promise<number>>();
  // @ts-expect-error the wrapper is async, also where the function is not
  expectTypeOf(parse).returns.toBeNumber();
});

test('retry - `this` is kept', () => {
  const add = retry()(async function (this: { base: number }, a: number) {
    return this.base + a;
  });
  expectTypeOf(add).thisParameter.toEqualTypeOf<{ base: number }>();
  void add.call({ base: 1 }, 2);
  // @ts-expect-error there is no base
  void add.call({}, 2);
  // @ts-expect-error called without `this`
  void add(2);
});

test('retry - decorates async methods only', () => {
  class Service {
    @retry({ semaphoreLimit: 1, semaphoreScope: 'self' })
    async load(id: number): Promise<string> {
      return String(id);
    }

    @retry()
    static async make(): Promise<Service> {
      return new Service();
    }

    // @ts-expect-error the method would be async without saying so
    @retry()
    sync(): number {
      return 1;
    }

    // @ts-expect-error a field is no method
    @retry()
    field = async () => 1;

    // @ts-expect-error retry is called first
    @retry
    async forgotten(): Promise<void> {}
  }
  expectTypeOf<Service['load']>().toEqualTypeOf<(id: number) => Promise<string>>();
});

test('retry - options: what may be given, and what not', () => {
  expectTypeOf<RetryOptions['timeout']>().toEqualTypeOf<number | null | undefined>();
  class Failure extends Error {
    readonly reason: number;

    constructor(reason: number) {
      super('failed');
      this.reason = reason;
    }
  }
  retry({ retryOn: [TypeError, Failure, 'AbortError', (error) => error instanceof RangeError] });
  retry({
    semaphoreLimit: null,
    semaphoreScope: 'multiprocess',
    semaphoreName: 'n',
    semaphoreTimeout: null,
    semaphoreLax: false,
  });
  // @ts-expect-error an error class, a name or a function, but no pattern
  retry({ retryOn: [/timeout/] });
  // @ts-expect-error a class of something else
  retry({ retryOn: [Map] });
  // @ts-expect-error a list
  retry({ retryOn: TypeError });
  // @ts-expect-error no such scope
  retry({ semaphoreScope: 'process' });
  // @ts-expect-error seconds
  retry({ timeout: '5s' });
  // @ts-expect-error no such option
  retry({ max_attempts: 3 });
});

test('retryContext - signal, attempt and lease', () => {
  expectTypeOf(retryContext).returns.toEqualTypeOf<RetryContext>();
  expectTypeOf<RetryContext>().toEqualTypeOf<{
    readonly signal: AbortSignal;
    readonly attempt: number;
    readonly lease: Lease | null;
  }>();
  // @ts-expect-error read only
  retryContext().attempt = 2;
  // @ts-expect-error there may be no lease
  void retryContext().lease.release();
});

test('semaphores - both are slot pools, and give leases', () => {
  expectTypeOf<Semaphore>().toExtend<SlotPool>();
  expectTypeOf<MultiprocessSemaphore>().toExtend<SlotPool>();
  expectTypeOf<Semaphore['acquire']>().returns.resolves.toEqualTypeOf<Lease>();
  expectTypeOf<Lease>().toExtend<AsyncDisposable>();
  // @ts-expect-error only to be disposed of asynchronously
  expectTypeOf<Lease>().toExtend<Disposable>();
  void new Semaphore(1).acquire({ timeout: 1, signal: new AbortController().signal });
  // @ts-expect-error a number
  void new Semaphore('1');
  // @ts-expect-error a controller is no signal
  void new Semaphore(1).acquire({ signal: new AbortController() });
  // @ts-expect-error processes share it by its name
  void new MultiprocessSemaphore({ limit: 1 });
  // @ts-expect-error there is no default limit
  void new MultiprocessSemaphore({ name: 'n' });
});

test('errors - the guards narrow', () => {
  const error: unknown = undefined;
  if (isSemaphoreTimeoutError(error)) {
    expectTypeOf(error).toEqualTypeOf<SemaphoreTimeoutError>();
    expectTypeOf(error.limit).toBeNumber();
    expectTypeOf<SemaphoreTimeoutError['code']>().toEqualTypeOf<'ERR_SEMAPHORE_TIMEOUT'>();
    // @ts-expect-error plain data, no pool
    void error.pool;
  }
  // @ts-expect-error not before the guard
  void error.limit;
});

test('inspect - reports of all known semaphores', () => {
  expectTypeOf(inspect).returns.resolves.toEqualTypeOf<SlotReport[]>();
  // @ts-expect-error it takes no name
  void inspect('name');
});

test('retry - hooks, waits, names and pools: what may be given, and what not', () => {
  retry({
    wait: ({ attempt, error }) => (error instanceof RangeError ? attempt : 1),
    jitter: true,
    maxWait: null,
    totalTimeout: 30,
    retryOn: ['ECONNRESET', async (error) => error instanceof TypeError],
    shouldRetry: async (error, { attempt }) => attempt < 3 && error instanceof Error,
    onRetry: async ({ attempt, wait, error }) => void [attempt, wait, error],
    signal: new AbortController().signal,
    rateLimit: { limit: 10, interval: 1 },
    semaphoreName: (user: { id: string }) => user.id,
  });
  retry({ semaphorePool: new Semaphore(2) });
  // @ts-expect-error a wait is a number, at once
  retry({ wait: async () => 1 });
  // @ts-expect-error both fields are needed
  retry({ rateLimit: { limit: 10 } });
  // @ts-expect-error a text
  retry({ semaphoreName: (user: { id: number }) => user.id });
  // @ts-expect-error no pool
  retry({ semaphorePool: { limit: 2 } });
  // @ts-expect-error a controller is no signal
  retry({ signal: new AbortController() });
  expectTypeOf(retryAttempts).returns.toEqualTypeOf<number | undefined>();
});

test('retry - as a legacy decorator: methods that are async only', () => {
  const decorate = retry();
  class Service {
    async load(id: number): Promise<string> {
      return String(id);
    }

    sync(): number {
      return 1;
    }
  }
  const load = Object.getOwnPropertyDescriptor(Service.prototype, 'load') as TypedPropertyDescriptor<Service['load']>;
  expectTypeOf(decorate(Service.prototype, 'load', load)).toEqualTypeOf<TypedPropertyDescriptor<Service['load']>>();
  const sync = Object.getOwnPropertyDescriptor(Service.prototype, 'sync') as TypedPropertyDescriptor<Service['sync']>;
  // @ts-expect-error the method would be async without saying so
  decorate(Service.prototype, 'sync', sync);
});

test('semaphores - permits, tryAcquire, drain, setLimit', () => {
  const semaphore = new Semaphore(3);
  expectTypeOf(semaphore.tryAcquire({ permits: 2 })).resolves.toEqualTypeOf<Lease | null>();
  expectTypeOf(semaphore.drain({ timeout: 1 })).resolves.toEqualTypeOf<void>();
  expectTypeOf(semaphore.setLimit(2)).toEqualTypeOf<void>();
  // @ts-expect-error it never waits
  void semaphore.tryAcquire({ timeout: 1 });
  // @ts-expect-error drains everything
  void semaphore.drain({ permits: 1 });
  // @ts-expect-error its limit is set once for all processes
  expectTypeOf<MultiprocessSemaphore>().toHaveProperty('setLimit');
  // @ts-expect-error nobody else
  void new MultiprocessSemaphore({ name: 'n', limit: 1, shared: 'world' });
  // @ts-expect-error one can't change it without `setLimit`
  semaphore.limit = 2;
});
