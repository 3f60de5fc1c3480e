// The service. Only its own work stands here: how it is traced is said in instrumentation.ts.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { EventBus, isHandlerTimeoutError } from '@threadbus/core';
import { HandlerPool, WorkerBus } from '@threadbus/worker';
import { OrderPlaced, OrderSaved, PriceAsked } from './events.js';
import type * as Price from './price.js';

const shop = new EventBus({ name: 'Shop' });
const price = new URL('./price.js', import.meta.url);
const pool = new HandlerPool({ maxThreads: 1, preload: [price] });
await pool.ready();
const orders = await WorkerBus.start(new URL('./orders-bus.js', import.meta.url), { parent: shop });

shop.on(PriceAsked, pool.handler<typeof Price>(price));
shop.on(OrderSaved, orders.dispatch);
shop.on(OrderPlaced, async function place({ item }) {
  const cents = await shop.dispatch(new PriceAsked({ item })).eventResult();
  await shop.dispatch(new OrderSaved({ item, cents })).eventResult();
  return `${item} for ${cents} cents`;
});

// The instrumentation of `http` makes this span by itself.
const tracer = trace.getTracer('http');
const server = createServer((request, response) => {
  void tracer.startActiveSpan(`${request.method} /:item`, { kind: SpanKind.SERVER }, async (span) => {
    try {
      const item = request.url?.slice(1) ?? '';
      response.end(await shop.dispatch(new OrderPlaced({ item })).eventResult());
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      response.writeHead(isHandlerTimeoutError(error) ? 504 : 500).end((error as Error).name);
    }
    span.end();
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.((server.address() as AddressInfo).port);

async function stop(): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
  await shop.stop({ timeout: 5 });
  await Promise.all([orders.stop(), pool.stop()]);
}
process.once('disconnect', () => void stop());
