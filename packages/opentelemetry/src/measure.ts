import { type Meter, metrics, type ObservableResult } from '@opentelemetry/api';
import type { EventResult, Subscription } from '@threadbus/core';
import { instrument, isHandlerAbortedError, isHandlerTimeoutError, subscription } from '@threadbus/core/internal';
import { EventBus } from '@threadbus/core/internal/bus';
import { type HandlerPool, observeThreads, type TimeSummary, type WorkerBus } from '@threadbus/worker';
import { liveHandlerPools, liveWorkerBuses } from '@threadbus/worker/internal';
import * as names from './names.ts';
import { checkMeasureOptions, type MeasuredSemaphore, type MeasureOptions } from './options.ts';

let measuring = false;

/** Seconds; what the conventions ask for. */
const durations = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * Offers the numbers of this thread as metrics, through the meter provider that is registered.
 *
 * What can be read is read when metrics are collected, and costs nothing in between; only handlers' times are recorded
 * as they end. Buses and pools are held weakly, unless they are named.
 *
 * @returns ends it
 * @throws TypeError for options that make no sense, or if this thread is measured already
 * @example
 * ```ts
 * metrics.setGlobalMeterProvider(new MeterProvider({ readers: [new PrometheusExporter({ port: 9464 })] }));
 * measureThreadbus();   // threadbus_bus_queued, threadbus_pool_waiting, messaging_process_duration …
 * ```
 */
export function measureThreadbus(options: MeasureOptions = {}): Subscription {
  checkMeasureOptions(options);
  if (measuring)
    throw new TypeError('This thread is measured already: call measureThreadbus() once, or end the first.');
  measuring = true;
  const meter = metrics.getMeter(names.threadbus);
  const ends = [countHandlers(meter), countThreads(meter), ...gauges(meter, options)];
  return subscription(() => {
    if (!measuring) return;
    measuring = false;
    for (const end of ends) end();
  });
}

function countHandlers(meter: Meter): () => void {
  const duration = meter.createHistogram('messaging.process.duration', {
    unit: 's',
    description: 'How long handlers ran',
    advice: { explicitBucketBoundaries: durations },
  });
  const queue = meter.createHistogram('threadbus.event.queue_time', {
    unit: 's',
    description: 'From when an event was dispatched until its first handler started',
    advice: { explicitBucketBoundaries: durations },
  });
  const sent = meter.createCounter('messaging.client.sent.messages', { description: 'Events that were dispatched' });
  const consumed = meter.createCounter('messaging.client.consumed.messages', {
    description: 'Handlers that were called',
  });
  const timeouts = meter.createCounter('threadbus.handler.timeouts', { description: 'Handlers whose time was up' });
  const aborted = meter.createCounter('threadbus.handler.aborted', {
    description: 'Handlers ended with another, or by a stop',
  });
  /** Since when handlers run, and events wait, in milliseconds. */
  const since = new WeakMap<object, number>();
  return instrument({
    dispatch(event, bus, go) {
      since.set(event, performance.now());
      sent.add(1, {
        [names.system]: names.threadbus,
        [names.destination]: event.event_type,
        [names.busName]: bus.name,
      });
      go();
    },
    handler(event, result, go) {
      const now = performance.now();
      const dispatched = since.get(event);
      if (dispatched !== undefined) {
        since.delete(event);
        queue.record((now - dispatched) / 1000, { [names.destination]: event.event_type });
      }
      since.set(result, now);
      consumed.add(1, placeOf(event.event_type, result));
      go();
    },
    handlerEnded(event, result) {
      const started = since.get(result);
      if (started === undefined) return;
      const place = placeOf(event.event_type, result);
      const failed = result.status === 'error' ? { [names.errorType]: names.errorTypeOf(result.error) } : {};
      duration.record((performance.now() - started) / 1000, { ...place, ...failed });
      if (isHandlerTimeoutError(result.error)) timeouts.add(1, place);
      if (isHandlerAbortedError(result.error)) aborted.add(1, place);
    },
  });
}

function placeOf(type: string, { eventbus_name }: EventResult): Record<string, string> {
  return { [names.system]: names.threadbus, [names.destination]: type, [names.busName]: eventbus_name };
}

function countThreads(meter: Meter): () => void {
  const restarts = meter.createCounter('threadbus.thread.restarts', { description: 'Threads that were replaced' });
  const kills = meter.createCounter('threadbus.thread.kills', {
    description: 'Threads that were ended for what they did',
  });
  return observeThreads({
    ended({ owner, name, reason, again }) {
      const place = { owner, [names.busName]: name, reason };
      if (again) restarts.add(1, place);
      if (reason === 'blocked' || reason === 'unresponsive') kills.add(1, place);
    },
  });
}

/** What is read when metrics are collected. */
function gauges(meter: Meter, { buses, pools, semaphores = [] }: MeasureOptions): (() => void)[] {
  const local = (): EventBus[] =>
    buses === undefined ? [...EventBus.allInstances] : buses.filter((bus) => bus instanceof EventBus);
  const remote = (): WorkerBus[] =>
    buses === undefined ? liveWorkerBuses() : buses.filter((bus): bus is WorkerBus => !(bus instanceof EventBus));
  const all = (): HandlerPool[] => (pools === undefined ? liveHandlerPools() : [...pools]);
  const observe = (
    name: string,
    description: string,
    read: (result: ObservableResult) => void | Promise<void>,
    unit?: string,
  ): (() => void) => {
    const gauge = meter.createObservableGauge(name, { description, ...(unit !== undefined && { unit }) });
    gauge.addCallback(read);
    return () => gauge.removeCallback(read);
  };
  const ofBuses = (name: string, description: string, value: (bus: EventBus) => number): (() => void) =>
    observe(name, description, (result) => {
      for (const bus of local()) result.observe(value(bus), { [names.busName]: bus.name });
    });
  const ofLinks = (name: string, description: string, value: (bus: WorkerBus) => number): (() => void) =>
    observe(name, description, (result) => {
      for (const bus of remote()) result.observe(value(bus), { [names.busName]: bus.name });
    });
  const ofPools = (
    name: string,
    description: string,
    tell: (pool: HandlerPool, tell: Observe) => void,
    unit?: string,
  ): (() => void) =>
    observe(
      name,
      description,
      (result) => {
        for (const [at, pool] of all().entries())
          tell(pool, (value, more) => result.observe(value, { pool: at, ...more }));
      },
      unit,
    );
  const ofSemaphores = (name: string, description: string, value: (report: Report) => number): (() => void) =>
    observe(name, description, async (result) => {
      for (const [at, semaphore] of semaphores.entries()) {
        const report = await semaphore.inspect();
        result.observe(value(report), { name: report.name ?? String(at) });
      }
    });
  return [
    ofBuses('threadbus.bus.queued', 'Events that wait for their turn', (bus) => bus.stats().queued),
    ofBuses('threadbus.bus.in_progress', 'Events with a handler in progress', (bus) => bus.stats().inProgress),
    ofBuses(
      'threadbus.bus.waiting_for_threads',
      'Events that another bus or thread has',
      (bus) => bus.stats().waitingForThreads,
    ),
    ofLinks('threadbus.link.in_flight', 'Events sent to a thread or process', (bus) => bus.stats().inFlight),
    ofLinks('threadbus.link.waiting', 'Events that wait to be sent', (bus) => bus.stats().waiting),
    ofPools('threadbus.pool.threads', 'Threads of a pool', (pool, tell) => {
      const { threads, running, awaiting } = pool.stats();
      tell(running, { state: 'running' });
      tell(awaiting, { state: 'awaiting' });
      tell(Math.max(0, threads - running - awaiting), { state: 'idle' });
    }),
    ofPools('threadbus.pool.waiting', 'Calls that wait for a thread', (pool, tell) => tell(pool.stats().waiting)),
    ofPools('threadbus.pool.utilization', 'Share of the places that were taken', (pool, tell) =>
      tell(pool.stats().utilization),
    ),
    ofPools(
      'threadbus.pool.wait_time',
      'How long calls waited',
      (pool, tell) => tellTimes(pool.stats().waitTime, tell),
      's',
    ),
    ofPools(
      'threadbus.pool.run_time',
      'How long calls ran',
      (pool, tell) => tellTimes(pool.stats().runTime, tell),
      's',
    ),
    ofSemaphores('threadbus.semaphore.held', 'Slots that are held', ({ holders }) => holders.length),
    ofSemaphores('threadbus.semaphore.waiters', 'Calls that wait for a slot', ({ waiters }) => waiters.length),
    ofSemaphores('threadbus.semaphore.limit', 'Slots that there are', ({ limit }) => limit),
  ];
}

type Observe = (value: number, attributes?: Readonly<Record<string, string>>) => void;
type Report = Awaited<ReturnType<MeasuredSemaphore['inspect']>>;

function tellTimes(times: TimeSummary | null, tell: Observe): void {
  if (times === null) return;
  for (const name of ['mean', 'p50', 'p99', 'max'] as const) tell(times[name], { statistic: name });
}
