import {
  type Attributes,
  context,
  type Context,
  createContextKey,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import type { BaseEvent, EventResult, RunningBus, Subscription } from '@threadbus/core';
import { instrument, subscription } from '@threadbus/core/internal';
import { onThreadEnd } from '@threadbus/worker';
import { carryTraces } from './carrier.ts';
import * as names from './names.ts';
import { checkTraceOptions, type TraceOptions } from './options.ts';

/** Set while a handler runs: an event without a parent that is dispatched then is detached. */
const inHandler = createContextKey('threadbus.handler');
/** Where the trace of a handler's span begins anew. */
const origin = createContextKey('threadbus.origin');

let tracing = false;

/**
 * Makes spans of this thread's events and handlers: `send T` for a dispatch, `process T` for each call of a handler.
 *
 * What a handler does, over awaits, nests in its span; events that it dispatches, too, in whichever thread, process or
 * machine they are handled, where this is called as well: put it into a file that is loaded with `--import`, which
 * threads inherit. Payloads are never recorded. Of a pool's handler there are two spans, the waiting one (INTERNAL) and
 * in it the thread's own.
 *
 * @returns ends it
 * @throws TypeError for options that make no sense, or if this thread is traced already
 * @example
 * ```ts
 * // instrumentation.mjs, for node --import ./instrumentation.mjs main.js
 * const sdk = new NodeSDK({ traceExporter });
 * sdk.start();
 * traceThreadbus({ ignore: (event) => event.event_type === 'Tick', flush: () => sdk.shutdown() });
 * ```
 */
export function traceThreadbus(options: TraceOptions = {}): Subscription {
  checkTraceOptions(options);
  if (tracing) throw new TypeError('This thread is traced already: call traceThreadbus() once, or end the first.');
  tracing = true;
  const { flush } = options;
  const tracer = new EventTracer(trace.getTracer(names.threadbus), options);
  const ends = [
    carryTraces(),
    instrument({
      dispatch: (event, bus, go) => tracer.dispatch(event, bus, go),
      handler: (event, result, go) => tracer.handler(event, result, go),
      handlerEnded: (_event, result) => tracer.handlerEnded(result),
    }),
    ...(flush === undefined ? [] : [onThreadEnd(flush)]),
  ];
  const end = (): void => {
    if (!tracing) return;
    tracing = false;
    for (const each of ends) each();
  };
  return subscription(end);
}

class EventTracer {
  readonly #tracer: Tracer;
  readonly #sends: boolean;
  readonly #ignore: (event: BaseEvent) => boolean;
  readonly #newTrace: (event: BaseEvent) => boolean;
  /** Of handlers that haven't settled. */
  readonly #open = new WeakMap<EventResult, Span>();

  constructor(tracer: Tracer, { spans = 'all', ignore, newTrace }: TraceOptions) {
    this.#tracer = tracer;
    this.#sends = spans === 'all';
    this.#ignore = ignore ?? (() => false);
    this.#newTrace = newTrace ?? (() => false);
  }

  dispatch(event: BaseEvent, bus: RunningBus, go: () => void): void {
    const active = context.active();
    if (this.#ignore(event)) {
      go();
      return;
    }
    const links = this.#isRoot(event, active) ? linksTo(active) : null;
    if (!this.#sends) {
      // The handlers' spans begin the trace then.
      if (links === null) go();
      else context.with(trace.deleteSpan(active).setValue(origin, links), go);
      return;
    }
    const attributes = { ...attributesOf(event, 'send'), [names.busName]: bus.name };
    const options = { kind: SpanKind.PRODUCER, attributes, ...(links !== null && { root: true, links }) };
    const span = this.#tracer.startSpan(`send ${event.event_type}`, options, active);
    try {
      context.with(trace.setSpan(active, span), go);
    } finally {
      span.end();
    }
  }

  handler(event: BaseEvent, result: EventResult, go: () => void): void {
    if (this.#ignore(event)) {
      go();
      return;
    }
    const active = context.active();
    const links = active.getValue(origin) as readonly Link[] | undefined;
    const attributes: Attributes = {
      ...attributesOf(event, 'process'),
      [names.busName]: result.eventbus_name,
      [names.handlerName]: result.handler_name,
      ...(result.thread_id !== null && { [names.threadId]: result.thread_id }),
    };
    // Nobody knows yet which thread will run it: this side only waits for one.
    const kind = result.thread_id === null ? SpanKind.INTERNAL : SpanKind.CONSUMER;
    const options = { kind, attributes, ...(links !== undefined && { root: true, links: [...links] }) };
    const span = this.#tracer.startSpan(`process ${event.event_type}`, options, active);
    this.#open.set(result, span);
    context.with(trace.setSpan(active, span).deleteValue(origin).setValue(inHandler, true), go);
  }

  handlerEnded(result: EventResult): void {
    const span = this.#open.get(result);
    if (span === undefined) return;
    this.#open.delete(result);
    if (result.status === 'error') {
      const error = result.error as Error;
      span.setAttribute(names.errorType, names.errorTypeOf(error));
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    span.end();
  }

  /** It begins a trace: asked for, or dispatched by a handler as a root. */
  #isRoot(event: BaseEvent, active: Context): boolean {
    return this.#newTrace(event) || (event.event_parent_id === null && active.getValue(inHandler) === true);
  }
}

function attributesOf(event: BaseEvent, operation: 'send' | 'process'): Attributes {
  return {
    [names.system]: names.threadbus,
    [names.operationName]: operation,
    [names.operationType]: operation,
    [names.destination]: event.event_type,
    [names.messageId]: event.event_id,
  };
}

function linksTo(active: Context): Link[] {
  const span = trace.getSpanContext(active);
  return span === undefined ? [] : [{ context: span }];
}
