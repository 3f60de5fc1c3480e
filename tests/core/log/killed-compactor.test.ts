import { appendFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BaseEvent, compactWal, EventBus, readWal } from '@threadbus/core';
import { expect, test } from 'vitest';
import { collect } from '../../helpers/collect.ts';
import { startProgram } from '../../helpers/run-program.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

// A compaction that is killed at each of its calls in turn: whatever is left, nothing is lost, nothing that is complete
// comes back, and the next compaction leaves the log alone.

const job = (type: string): BaseEvent => new BaseEvent({}, { event_type: type });

/** Events that are done, and such whose end is the stop of the bus. */
async function logSome(walPath: string, done: string, open: string): Promise<void> {
  const bus = new EventBus({ name: 'Jobs', walPath, walMode: 'ahead' });
  bus.on('*', (event) => (event.event_type === done ? undefined : new Promise<void>(() => {})));
  await bus.dispatch(job(done));
  await bus.dispatch(job(open)).logged();
  await bus.stop();
}

async function incomplete(walPath: string): Promise<string[]> {
  return (await collect(readWal(walPath, { incomplete: true, onBadLine: 'skip' }))).map(({ event_type }) => event_type);
}

/** @returns the signal that has ended it */
function compacted(walPath: string, deathAt: number): Promise<string | null> {
  const program = startProgram('log-compactor', [walPath, String(deathAt)]);
  return new Promise((resolve) => program.once('exit', (_, signal) => resolve(signal)));
}

test('killed-compactor - at each of its calls: nothing is lost, nothing comes back, and the next one tidies up', async () => {
  let deathAt = 0;
  let signal: string | null = 'SIGKILL';
  while (signal !== null) {
    deathAt += 1;
    const walPath = join(tempFolder(), 'log.jsonl');
    await logSome(walPath, 'Done', 'Open');
    appendFileSync(walPath, '{"foreign":true}\n');
    signal = await compacted(walPath, deathAt);
    const at = `killed before call ${deathAt}`;
    expect([at, await incomplete(walPath)]).toEqual([at, ['Open']]);
    // The bus goes on where the compaction has left off.
    await logSome(walPath, 'DoneToo', 'OpenToo');
    expect([at, await incomplete(walPath)]).toEqual([at, ['Open', 'OpenToo']]);
    await compactWal(walPath);
    expect([at, await incomplete(walPath)]).toEqual([at, ['Open', 'OpenToo']]);
    const problems: string[] = [];
    await collect(readWal(walPath, { onBadLine: ({ text }) => void problems.push(text) }));
    expect([at, problems]).toEqual([at, ['{"foreign":true}']]);
    expect(readdirSync(dirname(walPath))).toEqual([basename(walPath)]);
  }
  expect(deathAt).toBeGreaterThan(10);
}, 300_000);
