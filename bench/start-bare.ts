// A thread that imports what a worker bus imports, and says so.
import { parentPort } from 'node:worker_threads';
import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';

parentPort?.postMessage(typeof EventBus === typeof exposeBus);
