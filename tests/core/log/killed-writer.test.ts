import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BaseEvent, compactWal, EventBus, readWal } from '@threadbus/core';
import { expect, test } from 'vitest';
import { collect } from '../../helpers/collect.ts';
import { runProgram } from '../../helpers/run-program.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** `npm run torture:log` sets it. */
const long = process.env['THREADBUS_TORTURE_SECONDS'] !== undefined;
const firstSeed = Number(process.env['THREADBUS_SEED'] ?? Math.floor(Math.random() * 2 ** 30));

interface Left {
  /** Events that it had promised and that the log doesn't have. */
  readonly lost: readonly string[];
  readonly bad: readonly string[];
  /** What is there but the log. */
  readonly files: readonly string[];
}

async function killedAt(mode: string, sync: boolean, deathAt: number, seed: number): Promise<Left> {
  const walPath = join(tempFolder(), 'log.jsonl');
  const args = [walPath, mode, String(sync), String(deathAt), String(seed)];
  const { stdout } = await runProgram('log-dying-writer', args);
  // Another goes on in it, whatever was left.
  const bus = new EventBus({ walPath, name: 'Next' });
  const next = await bus.dispatch(new BaseEvent({}, { event_type: 'Next' }));
  await bus.stop();
  const bad: string[] = [];
  const onBadLine = ({ text }: { readonly text: string }): void => void bad.push(text.slice(0, 100));
  const ended = (await collect(readWal(walPath, { onBadLine }))).map(({ event_id }) => event_id);
  const open = (await collect(readWal(walPath, { incomplete: true, onBadLine }))).map(({ event_id }) => event_id);
  const told = stdout.split('\n').map((line) => line.split(' '));
  // A compaction takes away what is complete, but nothing that is not.
  const compacted = stdout.split('\n').filter((line) => line.startsWith('done')).length >= 8;
  const lost = told.filter(([what, id = '']) => {
    if (what === 'done') return !compacted && !ended.includes(id);
    return (
      what === 'logged' &&
      !told.some((line) => line[0] === 'done' && line[1] === id) &&
      !open.includes(id) &&
      !ended.includes(id)
    );
  });
  if (!ended.includes(next.event_id)) lost.push(['next', next.event_id]);
  await compactWal(walPath);
  const files = readdirSync(dirname(walPath)).filter((name) => name !== basename(walPath));
  return { lost: lost.map((line) => line.join(' ')), bad, files };
}

test.each([
  ['completed', false],
  ['completed', true],
  ['ahead', false],
  ['ahead', true],
] as const)(
  'killed-writer - %s, walSync %s, killed before, within and behind its calls: what was promised is there, all can be read',
  async (mode, sync) => {
    const calls = long ? 120 : 3;
    for (let i = 0; i < calls; i += 1) {
      const seed = firstSeed + i;
      const deathAt = long ? 1 + (i % 60) : 1 + ((seed * 7) % 45);
      expect([seed, deathAt, await killedAt(mode, sync, deathAt, seed)]).toEqual([
        seed,
        deathAt,
        { lost: [], bad: [], files: [] },
      ]);
    }
  },
  long ? 1_800_000 : 60_000,
);
