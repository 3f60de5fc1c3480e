/** What became of the jobs of a storm, of which some runs were killed. */
export interface Verdict {
  readonly sent: number;
  readonly ok: number;
  readonly crashed: number;
  /** Failed with a process though nothing of them had begun there. */
  readonly unfounded: number;
  /** Sent, and never heard of again. Those that were under way when their program was killed don't count. */
  readonly lost: readonly number[];
  /** Begun twice, or told twice. */
  readonly twice: readonly number[];
  /** Ended with something that is none of it. */
  readonly wrong: readonly string[];
}

/** Reads a storm's journal: D is sent, S begun, C told, P a process, X the end of a run by a kill. */
export function verdictOf(journal: string): Verdict {
  const begun = new Map<number, number>();
  const told = new Map<number, number>();
  let open = new Set<number>();
  const twice = new Set<number>();
  const wrong: string[] = [];
  const crashed: number[] = [];
  let [sent, ok] = [0, 0];
  for (const line of journal.split('\n')) {
    const [kind, number, what] = line.split(' ');
    const n = Number(number);
    if (kind === 'D') {
      sent += 1;
      open.add(n);
    } else if (kind === 'S') count(begun, n, twice);
    else if (kind === 'X') open = new Set();
    else if (kind === 'C') {
      count(told, n, twice);
      open.delete(n);
      if (what === 'ok') ok += 1;
      else if (what === 'crashed') crashed.push(n);
      else wrong.push(line);
      if (what === 'ok' && !begun.has(n)) wrong.push(`${line}, and never begun`);
    }
  }
  const unfounded = crashed.filter((n) => !begun.has(n)).length;
  return { sent, ok, crashed: crashed.length, unfounded, lost: [...open], twice: [...twice], wrong };
}

/** The processes that a journal names. */
export function pidsOf(journal: string): number[] {
  return [...journal.matchAll(/^P (\d+)$/gm)].map(([, pid]) => Number(pid));
}

function count(times: Map<number, number>, n: number, twice: Set<number>): void {
  const before = times.get(n) ?? 0;
  times.set(n, before + 1);
  if (before > 0) twice.add(n);
}
