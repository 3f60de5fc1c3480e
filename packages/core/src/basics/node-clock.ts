/**
 * The timers, and the clock that never goes back, as Node.js made them.
 *
 * Test frameworks put others in their place that stand still until a test moves them: vitest's fake timers, sinon's. A
 * bus is no part of what such a test is about: like Node's own sockets and `AbortSignal.timeout` it goes on. Loaded
 * before they are replaced, that is; whoever fakes them first and imports this package then gets what he asked for.
 */
export const setTimeout: typeof globalThis.setTimeout = globalThis.setTimeout;
export const clearTimeout: typeof globalThis.clearTimeout = globalThis.clearTimeout;
export const setImmediate: typeof globalThis.setImmediate = globalThis.setImmediate;
export const queueMicrotask: typeof globalThis.queueMicrotask = globalThis.queueMicrotask;

const { performance } = globalThis;
const elapsed = performance.now.bind(performance);

/** Milliseconds since the process was started: for durations, which a clock that is set must not change. */
export function monotonic(): number {
  return elapsed();
}
