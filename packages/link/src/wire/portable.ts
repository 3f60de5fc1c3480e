import { AsyncResource } from 'node:async_hooks';
import type { BaseEvent } from '@threadbus/core';
import { describe } from '@threadbus/core/internal';
import { withMarks } from './event-marks.ts';

/** A value of the async context that travels with events. */
export interface PortableContext<T> {
  /** The same in all threads. */
  readonly name: string;
  /** The value where an event is dispatched: plain data, or undefined for none. */
  capture(): T | undefined;
  /** Calls `inside` in a context that has the value. */
  run<R>(value: T, inside: () => R): R;
}

const contexts = new Map<string, PortableContext<unknown>>();
/** Made when the module loads, so that nothing of whoever starts a thread later gets into its handlers. */
const root = new AsyncResource('threadbus.root');

/**
 * Lets a value of an AsyncLocalStorage travel with events to other threads; call it in each of them.
 *
 * Stores themselves don't cross threads. What `capture` returns is cloned with each event that is sent, and handlers on
 * the other side run inside `run`.
 *
 * @returns takes it away again
 * @throws TypeError for what is no context
 * @example
 * ```ts
 * const requestId = new AsyncLocalStorage<string>();
 * registerPortableContext({ name: 'requestId', capture: () => requestId.getStore(), run: (id, inside) => requestId.run(id, inside) });
 * ```
 */
export function registerPortableContext<T>(context: PortableContext<T>): () => void {
  const { name, capture, run } = (context ?? {}) as { readonly [Key in keyof PortableContext<T>]?: unknown };
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(
      `Expected the name of a portable context to be a text, the same in all threads; got ${describe(name)}.`,
    );
  }
  for (const [field, value] of Object.entries({ capture, run })) {
    if (typeof value === 'function') continue;
    throw new TypeError(
      `Expected ${field} of the portable context '${name}' to be a function; got ${describe(value)}.`,
    );
  }
  contexts.set(name, context);
  return () => {
    if (contexts.get(context.name) === context) contexts.delete(context.name);
  };
}

/** The values at this moment, and what the event is marked with, by name; null if there are none. */
export function captureContext(event: BaseEvent): Record<string, unknown> | null {
  return withMarks(event, contexts.size === 0 ? null : contextValues());
}

function contextValues(): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const context of contexts.values()) {
    const { name } = context;
    const value = context.capture();
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/**
 * An async context with nothing in it but the values; not to be run in as it is, because many events have the same one.
 *
 * @throws what `run` of one of them throws
 */
export function restoreContext(values: Readonly<Record<string, unknown>> | null): AsyncResource {
  if (values === null) return root;
  let make = (): AsyncResource | undefined => new AsyncResource('threadbus.event');
  for (const [name, value] of Object.entries(values)) {
    const context = contexts.get(name);
    const inside = make;
    if (context !== undefined) make = () => context.run(value, inside);
  }
  return root.runInAsyncScope(make) ?? noContext(Object.keys(values));
}

function noContext(names: readonly string[]): never {
  throw new TypeError(
    `A portable context (one of ${names.join(', ')}) gave nothing back: let run(value, inside) return what inside() returns.`,
  );
}

/** Calls `inside` in a context of nobody. */
export function outsideContexts<R>(inside: () => R): R {
  return root.runInAsyncScope(inside);
}
