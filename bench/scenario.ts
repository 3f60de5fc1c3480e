/** What was asked for on the command line. */
export interface BenchOptions {
  /** A small load that shows that everything works; its figures mean little. */
  readonly quick: boolean;
}

/** One line of a scenario's table: column name → value. */
export type Row = Readonly<Record<string, string | number>>;

/** Something to measure: checks that the work was done, and throws if it was not. */
export interface Scenario {
  readonly name: string;
  run(options: BenchOptions): Promise<readonly Row[]>;
}

/** Collects what is collectable and tells what is left, in MB; needs `--expose-gc`. */
export async function heapMegabytes(): Promise<number> {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) throw new Error('Expected node --expose-gc: run `npm run bench`.');
  // What was looked at through a WeakRef lives until the event loop's turn ends.
  await new Promise<void>((resolve) => setImmediate(resolve));
  collect();
  collect();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

/** CPU time that the process has used: other than the clock's, it doesn't count what else runs on the machine. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** A number with so many digits behind the point. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
