import { BaseEvent, type EventBus } from '@threadbus/core';
import { z } from 'zod';

export const Deposited = BaseEvent.extend('Deposited', { account: z.string(), cents: z.number() });

/** Keeps balances by what happens on a bus: live, or when a log is replayed. */
export class Accounts {
  readonly balances = new Map<string, number>();
  deposits = 0;

  constructor(bus: EventBus) {
    bus.on(Deposited, ({ account, cents }) => {
      this.balances.set(account, (this.balances.get(account) ?? 0) + cents);
      this.deposits += 1;
    });
  }
}
