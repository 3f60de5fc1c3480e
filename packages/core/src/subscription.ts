/**
 * A registration: call it, or let `using` call it, to take the handler off again. Calling it twice does no harm.
 *
 * @example
 * ```ts
 * const unsubscribe = bus.on(Ping, () => 'pong');
 * unsubscribe();
 * ```
 */
export interface Subscription extends Disposable {
  (): void;
}

/** Makes a Subscription of what ends it, a function that nobody else has. */
export function subscription(end: () => void): Subscription {
  const own = end as { (): void; [Symbol.dispose]: () => void };
  own[Symbol.dispose] = end;
  return own;
}
