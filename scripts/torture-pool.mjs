// Storms of calls to pools whose threads fail in all ways: `npm run torture:pool -- [minutes] [seed]`. First it plants
// faults, each of which the storm has to find; then storms and random programs, each with the next seed, until the time
// is over.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const fixtures = join(root, 'tests', 'fixtures-dist', 'worker');
const [minutes = 20, first = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number);

/** Runs a storm. @returns what it has to say against the pool; empty if nothing */
async function storm(calls, rounds, seed, fault) {
  const faults = fault === undefined ? [] : ['--import', pathToFileURL(join(fixtures, 'pool-faults.js')).href];
  const args = ['--expose-gc', ...faults, join(fixtures, 'pool-storm.js'), calls, rounds, seed].map(String);
  const env = { ...process.env, ...(fault !== undefined && { THREADBUS_FAULT: fault }) };
  const child = spawn(process.execPath, args, {
    env,
    stdio: ['ignore', 'pipe', fault === undefined ? 'inherit' : 'ignore'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  const last = out.trim().split('\n').at(-1) ?? '';
  console.log(`seed ${seed}: exit ${code}, ${last}`);
  let told;
  try {
    told = JSON.parse(last);
  } catch {
    return ['it said nothing'];
  }
  const { wrong, hangs, ends, innocent = 0 } = told;
  const count = Object.values(ends).reduce((sum, one) => sum + one, 0);
  const more = [];
  if (hangs !== undefined) more.push(`hangs: ${hangs}`);
  else if (count !== calls * rounds) more.push(`${count} of ${calls * rounds} calls ended`);
  if (innocent > calls * rounds * 0.01) more.push(`${innocent} calls ended for what others had left`);
  return [...wrong, ...more];
}

/** Runs random programs over several pools and buses. @returns what they have to say against them; empty if nothing */
async function programs(seed, count) {
  const args = [join(fixtures, 'pool-program.js'), seed, count].map(String);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  const code = await new Promise((resolve) => child.on('close', resolve));
  const lines = out.trim().split('\n');
  console.log(`programs from ${seed}: exit ${code}, ${lines.at(-1)}`);
  const wrong = lines.filter((line) => line.startsWith('{"seed"'));
  return code === 0 ? wrong : [...wrong, `exit ${code}`];
}

for (const [fault, calls] of [
  ['begins anyway', 1000],
  ['never taken', 200],
]) {
  const found = await storm(calls, 1, first, fault);
  console.log(`planted: ${fault}: ${found.length === 0 ? 'NOT FOUND' : `found (${found[0]})`}`);
  if (found.length === 0) process.exitCode = 1;
}
const until = Date.now() + minutes * 60_000;
let sent = 0;
for (let seed = first; Date.now() < until; seed += 1) {
  const found = [...(await storm(2500, 2, seed)), ...(await programs(seed, 25))];
  sent += 5000;
  for (const text of found) console.log(`WRONG, seed ${seed}: ${text}`);
  if (found.length > 0) process.exitCode = 1;
}
console.log(`${sent} calls, seeds from ${first}: ${process.exitCode === 1 ? 'failed' : 'nothing wrong'}`);
