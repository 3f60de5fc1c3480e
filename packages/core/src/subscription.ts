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

/** Makes a Subscription of what ends it. */
export function subscription(end: () => void): Subscription {
  return Object.assign(() => end(), { [Symbol.dispose]: end });
}
