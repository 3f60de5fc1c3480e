// All sides import their events from one file.
import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

const order = { order: z.number(), cents: z.number() };

export const OrderPlaced = BaseEvent.extend('OrderPlaced', order, { result: z.string() });
export const PaymentTaken = BaseEvent.extend('PaymentTaken', order, { result: z.string() });
