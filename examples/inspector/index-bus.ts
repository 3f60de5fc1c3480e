/** A bus in a thread of its own. */
import { setTimeout as pause } from 'node:timers/promises';
import { EventBus } from '@threadbus/core';
import { exposeBus, parentBus } from '@threadbus/worker';
import { FileFound, Stored } from './events.js';

const index = new EventBus({ name: 'Index' });

index.on(FileFound, async function indexFile({ path }) {
  await pause(20 + Math.random() * 60);
  // Back to the thread that has sent it, and on with this one once it is done there.
  await parentBus().dispatch(new Stored({ path }));
  return path.length;
});

exposeBus(index);
