// Starts the server, and is its client: over loopback only. SIGTERM lets requests finish.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { serve } from './server.js';

const photo = sharp({ create: { width: 1600, height: 1200, channels: 3, background: '#c8305a' } }).jpeg();
const image = new Uint8Array(await photo.toBuffer());
const server = await serve(new Map(['blossom', 'endless', 'crash', 'slow'].map((name) => [name, image])));

let requests = 0;
async function get(path: string, signal?: AbortSignal): Promise<string> {
  requests += 1;
  const headers = { 'x-request-id': `request-${requests}`, connection: 'close' };
  const response = await fetch(`${server.url}/${path}`, { headers, signal: signal ?? null });
  if (!response.ok) return `${response.status} ${await response.text()}`;
  const { format, width, height } = await sharp(await response.arrayBuffer()).metadata();
  return `${response.status} ${format} ${width}x${height}`;
}

async function untilRunning(count: number): Promise<void> {
  while (server.stats().running !== count) await sleep(5);
}

console.log(await get('blossom/200'));
console.log(await get('blossom/0'));

// A runaway is ended when its time is up, a crash takes its thread along: others don't notice.
console.log(await Promise.all([get('endless/200'), get('crash/200')]));
console.log(await get('blossom/100'));

// Who hangs up has their work cancelled.
const hangUp = new AbortController();
const given = get('slow/200', hangUp.signal).catch((error: Error) => error.name);
await untilRunning(1);
hangUp.abort();
console.log(await given);
await untilRunning(0);

// Two are at work, four may wait, the others are told to come again.
const answers = await Promise.all(Array.from({ length: 10 }, () => get('slow/50')));
const counts = new Map<string, number>();
for (const answer of answers.sort()) counts.set(answer, (counts.get(answer) ?? 0) + 1);
console.log(counts);

// A request that is being answered when SIGTERM comes is answered.
process.once('SIGTERM', () => void server.stop());
const last = get('slow/300');
await untilRunning(1);
const told = once(process, 'SIGTERM');
process.kill(process.pid, 'SIGTERM');
await told;
console.log(await last);
console.log(await get('blossom/200').catch(() => 'the server is gone'));
