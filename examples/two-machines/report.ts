// Keeps the table of what was made; one process of it, whose bus others forward to.
import { EventBus } from '@threadbus/core';
import { connectNats } from '@threadbus/nats';
import { ReadTable, ThumbnailMade } from './events.js';

const [servers = ''] = process.argv.slice(2);
const table = new Map<string, number>();
const bus = new EventBus({ name: 'Report' });
bus.on(ThumbnailMade, ({ image, bytes }) => void table.set(image, bytes));
bus.on(ReadTable, () => [...table].sort(([a], [b]) => a.localeCompare(b)));
const net = await connectNats({ servers, namespace: 'pictures' });
await net.serve(bus);
process.send?.('ready');
