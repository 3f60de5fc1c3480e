import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

/** May run twice: a worker that is lost may have made it already. */
export const MakeThumbnail = BaseEvent.extend(
  'MakeThumbnail',
  { image: z.string(), pixels: z.instanceof(Uint8Array), width: z.number() },
  { result: z.instanceof(Uint8Array), idempotent: true, timeout: 20 },
);
export const ThumbnailMade = BaseEvent.extend('ThumbnailMade', { image: z.string(), bytes: z.number() });
export const ReadTable = BaseEvent.extend('ReadTable', {}, { result: z.array(z.tuple([z.string(), z.number()])) });
