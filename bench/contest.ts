import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type BenchOptions, type Contest, type Load, median, type Outcome, type Row } from './scenario.ts';

/** A scenario in which each contestant has a process of its own, and they take turns round by round. */
export function contest(name: string, loads: readonly Load[]): Contest {
  return {
    name,
    loads,
    async run(options) {
      const rows: Row[] = [];
      for (const load of loads) {
        const core = load.oneCore === true ? await firstCore() : undefined;
        const node = await nodeFor(load);
        if (core === null) rows.push({ load: load.name, unit: 'not measured: needs Linux and taskset' });
        else if (node === undefined) rows.push({ load: load.name, unit: `not measured: needs Node.js ${load.node}` });
        else rows.push(...rowsOf(load, await play(name, load, options, { node, core })));
      }
      return rows;
    },
  };
}

/** The binary that runs the contestants. */
async function nodeFor({ node }: Load): Promise<string | undefined> {
  if (node === undefined || Number.parseInt(process.versions.node, 10) >= node) return process.execPath;
  const { fetchNode } = (await import(new URL('../../scripts/nodes.mjs', import.meta.url).href)) as {
    fetchNode: (major: string) => string | undefined;
  };
  return fetchNode(String(node));
}

/** Where a contestant runs. */
interface Place {
  readonly node: string;
  readonly core: string | undefined;
}

/** A core that this process may use; null if that can't be chosen. */
async function firstCore(): Promise<string | null> {
  try {
    await promisify(execFile)('taskset', ['--version']);
    const status = await readFile('/proc/self/status', 'utf8');
    return /^Cpus_allowed_list:\s*(\d+)/m.exec(status)?.[1] ?? null;
  } catch {
    return null;
  }
}

type Samples = ReadonlyMap<string, readonly Outcome[]>;

/** What else the machine does hits all contestants of a round, so only figures of one round are compared. */
async function play(scenario: string, load: Load, options: BenchOptions, place: Place): Promise<Samples> {
  const size = options.quick ? load.quick : load.size;
  const names = Object.keys(load.contestants);
  const samples = new Map(names.map((name) => [name, [] as Outcome[]]));
  const seats = new Map<string, Seat>();
  try {
    const rounds = options.quick ? (load.fresh === true ? 1 : 2) : (load.rounds ?? 5);
    const warmUps = options.quick ? undefined : load.warmUps;
    for (let round = load.fresh === true ? 1 : 1 - (warmUps ?? 1); round <= rounds; round += 1) {
      for (const name of round % 2 === 0 ? names : [...names].reverse()) {
        const seat =
          seats.get(name) ??
          (await Seat.take([scenario, load.name, name], load.nodeOptions ?? [], options.profiles, place));
        // The first rounds of a process that stays warm up.
        const outcome = await seat.go(round <= 0 && warmUps === undefined ? Math.ceil(size / 5) : size);
        if (round > 0) samples.get(name)?.push(outcome);
        if (load.fresh === true) await seat.leave();
        else seats.set(name, seat);
      }
    }
    return samples;
  } finally {
    await Promise.all([...seats.values()].map(async (seat) => seat.leave()));
  }
}

/** The process of one contestant. */
class Seat {
  static async take(
    args: readonly string[],
    nodeOptions: readonly string[],
    profiles: string | undefined,
    { node: execPath, core }: Place,
  ): Promise<Seat> {
    const file = args
      .slice(0, 3)
      .join('-')
      .replaceAll(/[^\w-]+/g, '_');
    const execArgv = ['--expose-gc', '--no-warnings', ...nodeOptions];
    if (profiles !== undefined) {
      execArgv.push('--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${file}.cpuprofile`);
    }
    const node =
      core === undefined
        ? { execPath, execArgv }
        : { execPath: 'taskset', execArgv: ['-c', core, execPath, ...execArgv] };
    const child = fork(new URL('./contestant-worker.js', import.meta.url), args, node);
    const seat = new Seat(child, args.join(', '));
    await seat.#answer();
    return seat;
  }

  readonly #child: ChildProcess;
  readonly #who: string;

  private constructor(child: ChildProcess, who: string) {
    this.#child = child;
    this.#who = who;
  }

  async go(operations: number): Promise<Outcome> {
    const answer = this.#answer();
    this.#child.send(operations);
    return answer;
  }

  async leave(): Promise<void> {
    const gone = once(this.#child, 'exit');
    if (!this.#child.connected) return;
    this.#child.disconnect();
    await gone;
  }

  async #answer(): Promise<Outcome> {
    const aborter = new AbortController();
    const { signal } = aborter;
    const exit = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`The process of ${this.#who} ended with ${String(code)}; see what it printed.`);
    });
    try {
      const [outcome] = (await Promise.race([once(this.#child, 'message', { signal }), exit])) as [Outcome];
      return outcome;
    } finally {
      exit.catch(() => {});
      aborter.abort();
    }
  }
}

function rowsOf(load: Load, samples: Samples): Row[] {
  const [[ours, own] = ['', []], ...peers] = [...samples];
  const row = { load: load.name, unit: load.unit, ...describe(own, ours, 'CPU µs') };
  if (peers.length === 0) return [row];
  return peers.map(([peer, theirs]) => ({
    ...row,
    peer,
    ...describe(theirs, "peer's", "peer's CPU µs"),
    ...ratio(load.ratio, load.ratio, own, theirs, ({ figure }) => figure),
    ...(own[0]?.cpu !== undefined && ratio('the same in CPU', load.ratio, own, theirs, ({ cpu }) => cpu)),
  }));
}

function ratio(
  column: string,
  kind: Load['ratio'],
  own: readonly Outcome[],
  theirs: readonly Outcome[],
  of: (outcome: Outcome) => number | undefined,
): Row {
  const ratios = own.map((outcome, round) => {
    const [ours, other] = [of(outcome) ?? Number.NaN, of(theirs[round] ?? outcome) ?? Number.NaN];
    return kind === '× as fast' ? other / ours : ours / other;
  });
  return { [column]: significant(median(ratios)) };
}

function describe(outcomes: readonly Outcome[], figure: string, cpu: string): Row {
  const cpus = outcomes.flatMap((outcome) => (outcome.cpu === undefined ? [] : [outcome.cpu]));
  return {
    [figure]: significant(median(outcomes.map((outcome) => outcome.figure))),
    ...(cpus.length > 0 && { [cpu]: significant(median(cpus)) }),
  };
}

const significant = (value: number): number => Number(value.toPrecision(3));
