import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

export class Order extends BaseEvent.extend('Order', {
  number: z.number(),
  customer: z.object({ name: z.string(), token: z.string() }),
}) {}

export class Charge extends BaseEvent.extend('Charge', { amount: z.number() }, { result: z.string() }) {}

export class FileFound extends BaseEvent.extend('FileFound', { path: z.string() }) {}

export class Stored extends BaseEvent.extend('Stored', { path: z.string() }) {}

export class Resize extends BaseEvent.extend('Resize', { width: z.number() }, { result: z.number(), timeout: 2 }) {}
