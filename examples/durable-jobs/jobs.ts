import { BaseEvent } from '@threadbus/core';
import type { QueueOptions } from '@threadbus/nats';
import { z } from 'zod';

/** May run twice: that is what a queue asks of it. */
export const Invoice = BaseEvent.extend(
  'Invoice',
  { customer: z.string(), number: z.number(), cents: z.number() },
  { result: z.string(), idempotent: true },
);
type Invoice = InstanceType<typeof Invoice>;

/** All processes say the same; invoices of one customer are written one after another. */
export const invoices: QueueOptions<Invoice> = {
  events: [Invoice],
  key: ({ customer }) => customer,
  partitions: 8,
  maxDeliver: 3,
  backoff: [0.1],
  ackWait: 1,
};
