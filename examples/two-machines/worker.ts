// A worker: serves a bus whose handlers run in threads, so that signs of life go on while they compute.
import { EventBus } from '@threadbus/core';
import { connectNats } from '@threadbus/nats';
import { HandlerPool } from '@threadbus/worker';
import { MakeThumbnail } from './events.js';

const [servers = ''] = process.argv.slice(2);
const bus = new EventBus({ name: 'Thumbs', maxPending: null });
const pool = new HandlerPool({ maxThreads: 2 });
bus.on(MakeThumbnail, pool.handler<Uint8Array<ArrayBuffer>>(new URL('./scale.js', import.meta.url)));
const net = await connectNats({ servers, namespace: 'pictures' });
await net.serve(bus, { replicas: true });
process.send?.('ready');
