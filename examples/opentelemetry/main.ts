// Starts the service with its instrumentation, is its client, and shows the traces that it has exported.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FinishedSpan, spanTree } from './span-tree.js';

const folder = mkdtempSync(join(tmpdir(), 'spans-'));
const file = join(folder, 'spans.jsonl');
const service = fork(new URL('./server.js', import.meta.url), {
  execArgv: ['--import', new URL('./instrumentation.js', import.meta.url).href],
  env: { ...process.env, SPANS_FILE: file },
});
const [port] = (await once(service, 'message')) as [number];

for (const item of ['tea', 'endless']) {
  const response = await fetch(`http://127.0.0.1:${port}/${item}`, { headers: { connection: 'close' } });
  console.log(response.status, await response.text());
}

// What the threads have exported is there once they have ended.
const exited = once(service, 'exit');
service.disconnect();
await exited;

const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
const spans = lines.map((line) => JSON.parse(line) as FinishedSpan);
console.log(`${new Set(spans.map(({ traceId }) => traceId)).size} traces:`);
console.log(spanTree(spans).join('\n'));
rmSync(folder, { recursive: true });
