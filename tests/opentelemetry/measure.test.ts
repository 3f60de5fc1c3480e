import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BaseEvent } from '@threadbus/core';
import { measureThreadbus } from '@threadbus/opentelemetry';
import { Semaphore } from '@threadbus/semaphore';
import { HandlerPool } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Double, Havoc } from '../fixtures/worker/events.ts';
import { fixtureUrl } from '../helpers/fixture.ts';
import { gate } from '../helpers/gate.ts';
import { quietBus } from '../helpers/quiet-bus.ts';
import { thrown } from '../helpers/thrown.ts';
import { startBus } from '../helpers/worker-bus.ts';

/** Scrapes what Prometheus would. */
async function scrape(exporter: PrometheusExporter): Promise<string> {
  const server = createServer((request, response) => exporter.getMetricsRequestHandler(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
    return await answer.text();
  } finally {
    server.close();
  }
}

/** The value of a line with that name and all of those labels. */
function valueOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const line = text
    .split('\n')
    .find(
      (each) =>
        each.startsWith(`${name}{`) &&
        Object.entries(labels).every(([key, value]) => each.includes(`${key}="${value}"`)),
    );
  return line === undefined ? undefined : Number(line.split('} ')[1]?.split(' ')[0]);
}

test('measure - what Prometheus scrapes is right after a known load', async () => {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] }));
  const gpu = new Semaphore(2);
  const end = measureThreadbus({ semaphores: [gpu] });
  onTestFinished(() => {
    end();
    metrics.disable();
  });
  const bus = quietBus({ name: 'Measured', maxPending: null });
  const door = gate();
  bus.on('Work', () => 1);
  bus.on('Fails', () => {
    throw new RangeError('no');
  });
  bus.on('Late', async () => {
    await new Promise(() => undefined);
  });
  bus.on('Holds', async () => {
    await door.opened;
  });
  const pool = new HandlerPool({ maxThreads: 1 });
  onTestFinished(() => pool.stop());
  bus.on(Double, pool.handler<number>(fixtureUrl('worker/double-task')));
  const far = await startBus('havoc-bus');
  const event = (event_type: string, fields: object = {}): BaseEvent => new BaseEvent({}, { event_type, ...fields });
  for (let n = 0; n < 3; n += 1) await bus.dispatch(event('Work'));
  await bus.dispatch(event('Fails'));
  await bus.dispatch(event('Late', { event_timeout: 0.05 }));
  await bus.dispatch(new Double({ n: 2 }));
  await far.dispatch(new Havoc({ what: 'loop' }, { event_timeout: 0.2 }));
  await using _lease = await gpu.acquire();
  const holding = [bus.dispatch(event('Holds')), bus.dispatch(event('Work')), bus.dispatch(event('Work'))];
  await new Promise(setImmediate);

  const text = await scrape(exporter);
  const here = { threadbus_bus_name: 'Measured' };
  expect(valueOf(text, 'messaging_client_sent_messages_total', { ...here, messaging_destination_name: 'Work' })).toBe(
    5,
  );
  expect(
    valueOf(text, 'messaging_client_consumed_messages_total', { ...here, messaging_destination_name: 'Work' }),
  ).toBe(3);
  expect(valueOf(text, 'messaging_process_duration_count', { ...here, error_type: 'RangeError' })).toBe(1);
  expect(valueOf(text, 'threadbus_handler_timeouts_total', here)).toBe(1);
  expect(valueOf(text, 'threadbus_event_queue_time_count', { messaging_destination_name: 'Work' })).toBe(3);
  expect(valueOf(text, 'threadbus_bus_queued', here)).toBe(2);
  expect(valueOf(text, 'threadbus_bus_in_progress', here)).toBe(1);
  expect(valueOf(text, 'threadbus_bus_waiting_for_threads', here)).toBe(0);
  expect(valueOf(text, 'threadbus_pool_threads', { state: 'idle' })).toBe(1);
  expect(valueOf(text, 'threadbus_pool_waiting')).toBe(0);
  expect(valueOf(text, 'threadbus_pool_wait_time', { statistic: 'max' })).toBeGreaterThan(0);
  expect(valueOf(text, 'threadbus_pool_utilization')).toBeGreaterThan(0);
  expect(valueOf(text, 'threadbus_link_in_flight', { threadbus_bus_name: 'Havoc' })).toBe(0);
  expect(valueOf(text, 'threadbus_thread_kills_total', { reason: 'blocked' })).toBe(1);
  expect(valueOf(text, 'threadbus_thread_restarts_total', { owner: 'WorkerBus' })).toBe(1);
  expect(valueOf(text, 'threadbus_semaphore_held')).toBe(1);
  expect(valueOf(text, 'threadbus_semaphore_limit')).toBe(2);
  door.open();
  await Promise.all(holding);
});

test('measure - options that make no sense, and a second call, are refused', () => {
  expect(thrown(() => measureThreadbus({ bus: [] } as never)).message).toContain("no option 'bus'");
  expect(thrown(() => measureThreadbus({ pools: {} } as never)).message).toContain(
    'Expected pools of measureThreadbus',
  );
  using _first = measureThreadbus();
  expect(thrown(() => measureThreadbus()).message).toContain('measured already');
});
