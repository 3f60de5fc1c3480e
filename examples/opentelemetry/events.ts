import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

export const OrderPlaced = BaseEvent.extend('OrderPlaced', { item: z.string() }, { result: z.string(), timeout: 2 });
export const PriceAsked = BaseEvent.extend('PriceAsked', { item: z.string() }, { result: z.number() });
export const OrderSaved = BaseEvent.extend(
  'OrderSaved',
  { item: z.string(), cents: z.number() },
  { result: z.number() },
);
export const Swept = BaseEvent.extend('Swept', {});
