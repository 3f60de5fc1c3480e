import { inspect, type InspectOptions } from 'node:util';

/** Lets `console.log` and the like show objects of a class as `show` writes them; `nested` shows what is inside. */
export function showAs<T extends object>(
  prototype: T,
  show: (object: T, nested: (value: unknown) => string) => string,
): void {
  Object.defineProperty(prototype, inspect.custom, {
    configurable: true,
    value(this: T, depth: number | null, options: InspectOptions) {
      return show(this, (value) => (depth !== null && depth < 0 ? '…' : inspect(value, { ...options, depth })));
    },
  });
}
