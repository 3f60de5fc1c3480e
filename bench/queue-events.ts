import { BaseEvent } from '@threadbus/core';
import type { QueueOptions } from '@threadbus/nats';
import { z } from 'zod';

export const Task = BaseEvent.extend(
  'Task',
  { n: z.number(), text: z.string() },
  { result: z.number(), idempotent: true },
);

export const taskQueue: QueueOptions<InstanceType<typeof Task>> = { events: [Task] };
