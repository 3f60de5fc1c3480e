import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../helpers/fixture.ts';
import { Served } from '../helpers/inspector-page.ts';

interface Flood {
  readonly events: number;
  readonly rare: number;
  /** Milliseconds. */
  readonly took: number;
  /** Microseconds of an event. */
  readonly cpu: number;
  readonly grown: number;
}

test('flood - records and memory are bounded, one page that reads and one that does not; errors are told all the same', async () => {
  const child = spawn(process.execPath, ['--expose-gc', fileURLToPath(fixtureUrl('inspector/flood'))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  const page = new Served(await next());
  const flood = async (seconds: number): Promise<Flood> => {
    child.stdin.write(`${seconds}\n`);
    return JSON.parse(await next()) as Flood;
  };

  await flood(1);
  const look = await page.look();
  const deaf = await page.begin('/events');
  onTestFinished(() => void deaf.destroy());
  await look.agent(0, child.pid);
  await flood(1);
  const before = { records: look.records, seen: look.seen, rare: look.ofType('Rare').length };
  const flooded = await flood(4);
  // What was dispatched last has been told.
  await look.until(() => look.seen - before.seen >= flooded.events);
  const records = look.records - before.records;
  expect(records).toBeGreaterThan(100);
  // More is never sent, however little happens; while more than 20,000 events a second do, an eighth of that. A second's
  // worth may have been left over, and a machine that is busy elsewhere may have been slower than that for a second.
  const seconds = flooded.took / 1000;
  const rate = flooded.events / seconds > 60_000 ? 250 : 2000;
  expect(records).toBeLessThanOrEqual(rate * seconds + 4000);
  expect(look.skipped).toBeGreaterThan(0);
  // 16 MiB of events, a megabyte of what waits for each page, and what they hold by the way.
  expect(flooded.grown).toBeLessThan(40 * 1024 * 1024);
  const rare = look
    .ofType('Rare')
    .filter(({ outcome, calls }) => outcome === 'failed' && calls[0]?.error?.message === 'rare');
  expect(rare.length - before.rare).toBeGreaterThanOrEqual(
    Math.min(flooded.rare, 100 * Math.floor(flooded.took / 1000)) * 0.9,
  );
  look.end();
  deaf.destroy();
  const after = await flood(1);
  expect(after.grown).toBeLessThan(4 * 1024 * 1024);
}, 60_000);
