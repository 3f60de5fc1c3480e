// Runs in the pool's threads. Some images are traps: decoders do loop, and crash.
import { setTimeout as sleep } from 'node:timers/promises';
import type { HandlerContext } from '@threadbus/core';
import { transfer } from '@threadbus/worker';
import sharp from 'sharp';
import type { MakeThumbnail } from './events.js';
import { log } from './request-id.js';

type Image = Uint8Array<ArrayBuffer>;

export default async function thumbnail(event: MakeThumbnail, { signal }: HandlerContext): Promise<Image> {
  const { name, image, width } = event;
  if (name === 'endless') for (;;);
  if (name === 'crash') process.exit(1);
  // A source that takes its time; nobody waits for one who has hung up.
  if (name === 'slow') await sleep(1000, undefined, { signal });
  const { data, info } = await sharp(image).resize(width).webp().toBuffer({ resolveWithObject: true });
  if (name !== 'slow') log(`${name}: ${info.width}x${info.height}`);
  const bytes = new Uint8Array(data);
  return transfer(bytes, [bytes.buffer]);
}
