// A web front end, two workers and a report: processes that could be on machines of their own. A worker and the broker
// are killed with kill -9 while requests are under way, and every picture gets its thumbnail.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { EventBus } from '@threadbus/core';
import { connectNats, isLinkLostError, type JoinedBus } from '@threadbus/nats';
import { Broker, startProcess } from '../broker.js';
import { MakeThumbnail, ReadTable, ThumbnailMade } from './events.js';

await using broker = await Broker.start();
const workers = await Promise.all([1, 2].map(() => startProcess(new URL('./worker.js', import.meta.url), broker.url)));
const reporter = await startProcess(new URL('./report.js', import.meta.url), broker.url);

await using net = await connectNats({ servers: broker.url, namespace: 'pictures' });
await using main = new EventBus({ name: 'Main', maxPending: null, logger: { ...console, error: () => undefined } });
const thumbs: JoinedBus[] = [];
for (const replica of await net.replicas('Thumbs')) {
  thumbs.push(await net.join(main, 'Thumbs', { replica, unresponsiveTimeout: 3 }));
}
const report = await net.join(main, 'Report');
main.on(ThumbnailMade, report.dispatch);
console.log(`joined: ${thumbs.map(({ name }) => name).join(', ')}, ${report.name}`);

let turns = 0;
let repeated = 0;

/** The workers in turn; what a lost one had goes to the next, since it may run twice. */
async function makeThumbnail(image: string, pixels: Uint8Array<ArrayBuffer>, width: number): Promise<Uint8Array> {
  for (;;) {
    const up = thumbs.filter(({ status }) => status !== 'lost');
    turns += 1;
    const worker = up[turns % up.length];
    if (worker === undefined) throw new Error('no worker is left');
    try {
      return await worker.dispatch(new MakeThumbnail({ image, pixels, width })).eventResult();
    } catch (error) {
      if (!isLinkLostError(error)) throw error;
      repeated += 1;
    }
  }
}

const server = createServer((request, response) => {
  const image = (request.url ?? '/').slice(1);
  const pixels = new Uint8Array(400 * 400).map((_, at) => (at * image.length) % 251);
  void makeThumbnail(image, pixels, 400)
    .then(async ({ length }) => {
      await main.dispatch(new ThumbnailMade({ image, bytes: length }));
      response.end(`${length}`);
    })
    .catch((error: Error) => response.writeHead(500).end(error.message));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as { port: number };

const images = Array.from({ length: 200 }, (_, n) => `picture-${n}`);
const answers = images.map(async (image, n) => {
  await new Promise((resolve) => void setTimeout(resolve, n * 5));
  const response = await fetch(`http://127.0.0.1:${port}/${image}`, { headers: { connection: 'close' } });
  return `${response.status} ${await response.text()}`;
});
await answers[40];
workers[0]?.kill('SIGKILL');
await answers[60];
await broker.kill();
await broker.start();
const distinct = new Set(await Promise.all(answers));
console.log(`answered: ${answers.length}, all of them with ${[...distinct].join(', ')}`);
console.log(`what the killed worker had was repeated elsewhere: ${repeated > 0}`);
console.log(
  `workers: ${thumbs
    .map(({ status }) => status)
    .sort()
    .join(', ')}`,
);
const table = await report.dispatch(new ReadTable({})).eventResult();
console.log(`in the report: ${table.length}, of ${table.reduce((sum, [, bytes]) => sum + bytes, 0)} bytes`);

server.close();
for (const child of [...workers, reporter]) child.kill('SIGKILL');
