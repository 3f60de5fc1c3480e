/** A door that a test opens by hand: handlers wait at `passed`, tests need no sleeps. */
export interface Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;
}

export function gate(): Gate {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

/** A promise's state now: what it gave, what it threw, or that it is pending. */
export async function stateOf(promise: PromiseLike<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  const settled = Promise.resolve(promise).then(
    () => 'resolved' as const,
    () => 'rejected' as const,
  );
  return Promise.race([settled, ticks(20).then(() => 'pending' as const)]);
}

/** Lets all work go on that waits for nothing but its turn. */
export async function ticks(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** What a promise was rejected with; fails the test if it was not. */
export async function rejection(promise: PromiseLike<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('Expected the promise to be rejected, it was resolved.');
}
