import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

/** The images are sent to a thread, and the thumbnails back. */
export class MakeThumbnail extends BaseEvent.extend(
  'MakeThumbnail',
  { name: z.string(), image: z.instanceof(Uint8Array), width: z.number().int().min(1).max(1000) },
  { result: z.instanceof(Uint8Array), timeout: 2 },
) {}
