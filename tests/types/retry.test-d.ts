import {
  inspect,
  isSemaphoreTimeoutError,
  MultiprocessSemaphore,
  retry,
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
