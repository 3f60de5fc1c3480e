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

/** What subscriptions have in common: a property of its own would cost each of them as much as its function does. */
const prototype = Object.create(Function.prototype, {
  [Symbol.dispose]: {
    value(this: () => void): void {
      this();
    },
  },
}) as object;

/** Makes a Subscription of what ends it, a function that nobody else has. */
export function subscription(end: () => void): Subscription {
  return Object.setPrototypeOf(end, prototype) as Subscription;
}
