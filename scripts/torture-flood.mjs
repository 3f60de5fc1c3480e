// `npm run torture:flood [-- seconds]`: events as fast as they go, ten seconds at a time, without the inspector's page and
// with one that reads and one that never does, in turns; tells how many, at which CPU time, and by how much the heap grew.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const seconds = Number(process.argv[2] ?? 10);
const program = fileURLToPath(new URL('../tests/fixtures-dist/inspector/flood.js', import.meta.url));
const child = spawn(process.execPath, ['--expose-gc', program], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
const next = async () => String((await lines.next()).value);
const url = (await next()).replace('/?', '/events?');

/** In a process of its own, as a browser is: reads all, or nothing. Prints its records each second. */
const page = `
  require('node:http').get(process.argv[1], (response) => {
    if (process.argv[2] === 'deaf') return;
    let text = '', records = 0;
    response.setEncoding('utf8').on('data', (chunk) => {
      const parts = (text + chunk).split('\\n\\n');
      text = parts.pop();
      for (const part of parts) if (part.startsWith('event: batch')) records += JSON.parse(part.slice(part.indexOf('data: ') + 6)).events.length;
    });
    process.on('message', () => process.send(records));
  });
  process.on('disconnect', () => process.exit());
`;

async function flood() {
  child.stdin.write(`${seconds}\n`);
  return JSON.parse(await next());
}

function open(kind) {
  return spawn(process.execPath, ['-e', page, url, kind], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

async function looked() {
  const pages = [open('reads'), open('deaf')];
  await Promise.all(pages.map((each) => once(each, 'spawn')));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const told = await flood();
  pages[0].send('records');
  const [records] = await once(pages[0], 'message');
  for (const each of pages) each.disconnect();
  await Promise.all(pages.map((each) => once(each, 'exit')));
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { ...told, records };
}

function show(what, { events, took, cpu, grown, records }) {
  const rate = `${Math.round(events / took)}k events/s`;
  const rest = records === undefined ? '' : `, ${Math.round((records / took) * 1000)} records/s`;
  console.log(`${what}: ${rate}, ${cpu.toFixed(2)} µs of CPU, heap ${(grown / 2 ** 20).toFixed(1)} MB more${rest}`);
}

await flood();
for (let round = 0; round < 3; round += 1) {
  show('nobody looks      ', await flood());
  show('two pages are open', await looked());
}
child.stdin.end();
await once(child, 'exit');
