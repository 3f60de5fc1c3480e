/**
 * A page that shows a running program.
 *
 * @module @threadbus/inspector
 */
export type { Redact } from './basics/redact.ts';
export { inspect } from './inspect.ts';
export type { Inspector } from './inspect.ts';
export type { InspectOptions } from './options.ts';
