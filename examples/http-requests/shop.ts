// The app behind the server. None of it knows of HTTP.
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { BaseEvent, EventBus, type Logger } from '@threadbus/core';
import { z } from 'zod';

const BuyItem = BaseEvent.extend('BuyItem', { item: z.string() }, { result: z.string(), timeout: 0.5 });
export const StockTaken = BaseEvent.extend('StockTaken', { item: z.string() });

/** The id of the request that everything belongs to, in whichever handler. */
export const requestId = new AsyncLocalStorage<string>();

export class Shop {
  /** What all requests share: one bus, which takes their events one after the other. */
  readonly stock: EventBus;
  /** What was taken from the stock, and for whom. */
  readonly audit: string[] = [];
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.stock = new EventBus({ name: 'Stock', logger });
    this.stock.on(StockTaken, ({ item }) => {
      this.audit.push(`${requestId.getStore()} took ${item}`);
    });
  }

  /** Each request has a bus of its own, so that a slow one holds up nobody else. */
  async buy(item: string): Promise<string> {
    await using bus = new EventBus({ logger: this.#logger });
    bus.on(BuyItem, async (_event, { signal }) => {
      await this.stock.dispatch(new StockTaken({ item })); // a child on the other bus: it sees the same request
      await sleep(item === 'slow' ? 60_000 : 50, undefined, { signal });
      return `you have bought ${item}`;
    });
    return await bus.dispatch(new BuyItem({ item })).eventResult();
  }
}
