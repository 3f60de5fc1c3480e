// Loaded ahead of everything, here and in every thread: `node --import ./instrumentation.js server.js`.
import { appendFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { traceThreadbus } from '@threadbus/opentelemetry';
import type { FinishedSpan } from './span-tree.js';

// A file in place of a collector. With `new NodeSDK()` all of this is one line: it exports over OTLP.
const file = process.env['SPANS_FILE'] ?? 'spans.jsonl';
const exporter: SpanExporter = {
  export(spans, done) {
    appendFileSync(file, spans.map((span) => `${JSON.stringify(finished(span))}\n`).join(''));
    done({ code: ExportResultCode.SUCCESS });
  },
  shutdown: () => Promise.resolve(),
};

function finished(span: ReadableSpan): FinishedSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentId: span.parentSpanContext?.spanId ?? null,
    name: span.name,
    kind: SpanKind[span.kind] ?? '',
    isError: span.status.code === SpanStatusCode.ERROR,
    error: String(span.attributes['error.type'] ?? ''),
    isMain: threadId === 0,
    startedAt: span.startTime[0] * 1e9 + span.startTime[1],
  };
}

// Each span leaves as it ends. A BatchSpanProcessor is cheaper, and a thread that is killed takes along what is in it.
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
trace.setGlobalTracerProvider(provider);

traceThreadbus({
  newTrace: (event) => event.event_type === 'Swept', // the sweeper's rounds go on for ever: a trace for each
  flush: () => provider.forceFlush(), // before a thread ends: of use with a BatchSpanProcessor
});
