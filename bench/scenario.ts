/** What was asked for on the command line. */
export interface BenchOptions {
  /** A small load that shows that everything works; its figures mean little. */
  readonly quick: boolean;
  /** Folder for CPU profiles, one for each contestant of a contest. */
  readonly profiles?: string | undefined;
}

/** One line of a scenario's table: column name → value. */
export type Row = Readonly<Record<string, string | number>>;

/** Something to measure: checks that the work was done, and throws if it was not. */
export interface Scenario {
  readonly name: string;
  run(options: BenchOptions): Promise<readonly Row[]>;
}

/** A scenario whose loads run in processes of their own, in turns; see contest.ts. */
export interface Contest extends Scenario {
  readonly loads: readonly Load[];
}

/** The same work for us and our peers. */
export interface Load {
  readonly name: string;
  /** What the figures are, such as 'µs per event'. */
  readonly unit: string;
  /** Which way round the ratio is: how many times as fast as the peer we are, or how much of what it takes. */
  readonly ratio: '× as fast' | '× as much';
  /** Operations in one round; `quick` with --quick. */
  readonly size: number;
  readonly quick: number;
  /** @default 5 */
  readonly rounds?: number;
  /** Whole rounds that don't count, before those that do. @default a fifth of one */
  readonly warmUps?: number;
  /** A new process for each round: for what can be measured only once in a process. @default false */
  readonly fresh?: boolean;
  /** All threads of a contestant on one core; left out where that can't be chosen (it takes Linux and taskset). @default false */
  readonly oneCore?: boolean;
  /** The oldest major version of Node.js that can do it: fetched if this one is older, left out if that fails. @default any */
  readonly node?: number;
  /** For the processes of the contestants. @default [] */
  readonly nodeOptions?: readonly string[];
  /** The first is ours; the row of each of the others compares it with ours. */
  readonly contestants: Readonly<Record<string, Contestant>>;
}

/**
 * Does the work once: prepares it, has the parts that count measured, and checks what came of it.
 *
 * What it returns is its figure; without it the figure is µs of the measured parts per operation.
 */
export type Contestant = (size: number, measure: Measure) => Promise<void> | Promise<number>;
export type Measure = (work: () => Promise<unknown>) => Promise<void>;

/** A contestant with something that is started once in the contestant's process, and ended with it. */
export function kept<Far>(
  start: () => Promise<Far>,
  run: (far: Far, ...args: Parameters<Contestant>) => Promise<void>,
): Contestant {
  let far: Promise<Far> | undefined;
  return async (size, measure) => {
    far ??= start();
    await run(await far, size, measure);
  };
}

/** Throws unless as much was done as the load asks for. */
export function check(done: number, expected: number): void {
  if (done !== expected) throw new Error(`Expected ${expected} to be done, ${done} were.`);
}

/** Collects what is collectable and tells what is left, in bytes; needs `--expose-gc`. */
export async function heapBytes(): Promise<number> {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error('Expected node --expose-gc: run `npm run bench`.');
  // What was looked at through a WeakRef lives until the event loop's turn ends.
  await new Promise<void>((resolve) => setImmediate(resolve));
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** A number with so many digits behind the point. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** What one round gave; CPU time is that of all threads of the process, in µs per operation. */
export interface Outcome {
  readonly figure: number;
  readonly cpu?: number;
}
