/** Something to wait for until the test says so: handlers wait for `opened`, tests need no sleeps. */
export interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

export function gate(): Gate {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/**
 * One turn of the event loop: every microtask and every timer that is due has run; and one more, because a bus that has
 * been at it for some time lets others have theirs first.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));
}

/** Some turns: lets all work go on that waits for nothing but its turn. */
export async function ticks(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i += 1) await nextTurn();
}

/** A promise's state now: what it gave, what it threw, or that it is pending. */
export async function stateOf(promise: PromiseLike<unknown>): Promise<'pending' | 'resolved' | 'rejected'> {
  const settled = Promise.resolve(promise).then(
    () => 'resolved' as const,
    () => 'rejected' as const,
  );
  return Promise.race([settled, ticks(20).then(() => 'pending' as const)]);
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
