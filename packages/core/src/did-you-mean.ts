/** The handlers of the buses of a name in this thread. */
type HandlersOf = (busName: string) => Iterable<{ readonly pattern: string }>;

let handlersOf: HandlersOf = () => [];

/** Tells where handlers are to be looked for; the buses are known to upper layers only. */
export function lookForHandlersIn(buses: HandlersOf): void {
  handlersOf = buses;
}

/** Types that handlers on these buses are registered for. */
export function handledTypes(busNames: readonly string[]): string[] {
  return busNames.flatMap((name) => [...handlersOf(name)].map(({ pattern }) => pattern));
}

/** A question for the end of an error message, if one of the names looks like what was meant; else nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  let best: string | null = null;
  let least = Math.max(2, Math.floor(name.length / 4)) + 1;
  for (const other of new Set(known)) {
    if (other === name || other === '*') continue;
    const distance = sameButSuffix(name, other) ? 1 : edits(name.toLowerCase(), other.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    best = other;
  }
  return best === null ? '' : ` Did you mean '${best}'?`;
}

/** `UserLogin` and `UserLoginEvent` are easily taken for each other. */
function sameButSuffix(a: string, b: string): boolean {
  return a === `${b}Event` || b === `${a}Event`;
}

/** How many characters must be added, removed or changed to make one of the other. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
