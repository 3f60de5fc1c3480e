import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

export class Small extends BaseEvent.extend('Small', { n: z.number(), user: z.string(), text: z.string() }) {}
/** The same for a handler that is not async. */
export class SmallSync extends BaseEvent.extend('SmallSync', { n: z.number(), user: z.string(), text: z.string() }) {}
export class Compute extends BaseEvent.extend('Compute', {}) {}
export class Buffers extends BaseEvent.extend('Buffers', { bytes: z.instanceof(Uint8Array) }) {}
/** Counts without an answer that anybody waits for. */
export class Count extends BaseEvent.extend('Count', { n: z.number(), user: z.string(), text: z.string() }) {}
export class Counted extends BaseEvent.extend('Counted', {}) {}
