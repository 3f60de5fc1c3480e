// Runs in a thread that dies in the middle of its work, as a native module or an out-of-memory error would have it.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';
import { ChargeCard, MakeThumbnail } from './events.js';

const { folder } = workerData as { folder: string };

/** Crashes the thread the first time that it is asked to. */
function crashOnce(what: string): void {
  const mark = join(folder, what);
  if (existsSync(mark)) return;
  writeFileSync(mark, '');
  process.exit(1); // ends the thread only
}

const bus = new EventBus({ name: 'Jobs' });
bus.on(ChargeCard, function charge({ card }) {
  if (card === 'unlucky') crashOnce('charge');
  return `charged ${card}`;
});
bus.on(MakeThumbnail, function thumbnail({ image }) {
  crashOnce('thumbnail');
  return `thumbnail of ${image}`;
});
exposeBus(bus);
