import { once } from 'node:events';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { randomNumbers } from '../../fixtures/random-numbers.ts';
import { isAlive } from '../../helpers/is-alive.ts';
import { pidsOf, type Verdict, verdictOf } from '../../helpers/kill-journal.ts';
import { startProgram } from '../../helpers/run-program.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** `npm run torture:processes` sets these. */
const long = process.env['THREADBUS_TORTURE'] === '1';
const seed = Number(process.env['THREADBUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

interface Storm {
  readonly jobs: number;
  /** Kills of children, and of their parents: after each of these another program goes on. */
  readonly kills: number;
  readonly parents: number;
  readonly plant?: 'forgets' | 'loses' | 'orphans';
}

interface StormEnd extends Verdict {
  /** Processes that outlived their parent by more than some seconds. */
  readonly left: number;
  readonly boards: readonly string[];
  /** Exit code of the last program, which ends by itself. */
  readonly code: number | null;
}

const boards = (): string[] =>
  process.platform === 'linux' ? readdirSync('/dev/shm').filter((name) => name.startsWith('threadbus-board')) : [];

async function storm({ jobs, kills, parents, plant }: Storm): Promise<StormEnd> {
  const random = randomNumbers(seed);
  const journal = join(tempFolder(), 'journal');
  writeFileSync(journal, '');
  const text = (): string => readFileSync(journal, 'latin1');
  const left = new Set<number>();
  let [from, code] = [0, null as number | null];
  for (let run = 0; run <= parents; run += 1) {
    const end = run === parents ? jobs : Math.floor(((run + 0.3 + 0.7 * random()) * jobs) / (parents + 1));
    const before = pidsOf(text()).length;
    const numbers = [seed + run, from, jobs, Math.ceil((kills * (jobs - from)) / jobs)].map(String);
    const program = startProgram('worker/kill-storm', [journal, plant ?? '', ...numbers]);
    onTestFinished(() => void program.kill('SIGKILL'));
    let errors = '';
    program.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    createInterface({ input: program.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (run < parents && Number(line) >= end) program.kill('SIGKILL');
    });
    [code] = (await once(program, 'exit')) as [number | null];
    if (errors !== '') console.log(errors);
    const pids = pidsOf(text()).slice(before);
    // They have a second to end in order.
    for (const until = performance.now() + 10_000; pids.some(isAlive) && performance.now() < until;) await delay(20);
    for (const pid of pids.filter(isAlive)) {
      left.add(pid);
      process.kill(pid, 'SIGKILL');
    }
    const last = Math.max(...[...text().matchAll(/^D (\d+)$/gm)].map(([, n]) => Number(n)));
    from = last + 1;
    if (code !== null) break;
    appendFileSync(journal, 'X\n');
  }
  // Others' boards have a name for a moment.
  const named = boards();
  await delay(50);
  const stay = boards().filter((name) => named.includes(name));
  return { ...verdictOf(text()), left: left.size, boards: stay, code };
}

// Without one of these the storm proves nothing.
test.runIf(long).each([
  ['forgets', 'twice'],
  ['loses', 'lost'],
  ['orphans', 'left'],
] as const)(
  'kill storm - a fault that is planted shows: a process that %s',
  async (plant, shows) => {
    const end = await storm({ jobs: 300, kills: 6, parents: plant === 'orphans' ? 1 : 0, plant });
    const seen = end[shows];
    expect(typeof seen === 'number' ? seen : seen.length).toBeGreaterThan(0);
  },
  600_000,
);

test(
  'kill storm - children and parents killed by signals at random and in the middle of frames: nothing lost, twice or left',
  async () => {
    const size = long ? { jobs: 20_000, kills: 50, parents: 3 } : { jobs: 400, kills: 5, parents: 1 };
    console.log(`kill storm: seed ${seed}, ${JSON.stringify(size)}`);
    const end = await storm(size);
    console.log(`kill storm: ${JSON.stringify(end)}`);
    expect(end).toMatchObject({ sent: size.jobs, lost: [], twice: [], wrong: [], left: 0, boards: [], code: 0 });
    // What had not begun goes to the next process. A kill can come between the mark and the first line of a handler.
    expect(end.unfounded).toBeLessThanOrEqual(size.kills);
    // So many are under way when a parent is killed.
    expect(end.ok + end.crashed).toBeGreaterThanOrEqual(size.jobs - 200 * size.parents);
    expect(end.ok).toBeGreaterThan(end.crashed);
  },
  long ? 3_600_000 : 120_000,
);
