/**
 * OpenTelemetry traces and metrics of threadbus.
 *
 * @module @threadbus/opentelemetry
 */
export { measureThreadbus } from './measure.ts';
export type { MeasuredSemaphore, MeasureOptions, TraceOptions } from './options.ts';
export { traceThreadbus } from './trace.ts';
