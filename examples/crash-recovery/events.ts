import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

/** Must not happen twice: when its thread dies, the event fails, and whoever sent it decides. */
export const ChargeCard = BaseEvent.extend('ChargeCard', { card: z.string() }, { result: z.string() });

/** Does no harm when it happens twice: when its thread dies, the event goes to the replacement. */
export const MakeThumbnail = BaseEvent.extend(
  'MakeThumbnail',
  { image: z.string() },
  { result: z.string(), idempotent: true },
);
