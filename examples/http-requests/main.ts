// Starts the server, and is its client: over loopback only.
import { serve } from './server.js';
import { Shop, StockTaken } from './shop.js';

const shop = new Shop({ ...console, debug: () => undefined, error: () => undefined });
const server = await serve(shop);

async function buy(item: string, id: string): Promise<string> {
  const response = await fetch(`${server.url}/${item}`, { headers: { 'x-request-id': id, connection: 'close' } });
  return `${response.status} ${await response.text()}`;
}

// Side by side: the slow one is ended after 0.5 s, and holds up neither of the others.
console.log(await Promise.all([buy('slow', 'request-1'), buy('tea', 'request-2'), buy('milk', 'request-3')]));

// A request that is being answered when the server stops is answered; the next one finds nobody.
const taken = shop.stock.expect(StockTaken);
const last = buy('sugar', 'request-4');
await taken;
const stopped = server.stop();
console.log(await last);
await stopped;
console.log(await buy('salt', 'request-5').catch(() => 'the server is gone'));

console.log(shop.audit.sort());
