import { inspect } from 'node:util';

/** Lets `console.log` and the like show objects of a class as `show` writes them. */
export function showAs<T extends object>(prototype: T, show: (object: T) => string): void {
  Object.defineProperty(prototype, inspect.custom, {
    configurable: true,
    value(this: T) {
      return show(this);
    },
  });
}
