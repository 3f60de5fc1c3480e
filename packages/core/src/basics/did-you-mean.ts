let typesOn: (busName: string) => string[] = () => [];

/** Tells how to find the types that have handlers on a bus of this thread; the buses are known to upper layers only. */
export function lookForTypesIn(buses: (busName: string) => string[]): void {
  typesOn = buses;
}

/** Types that handlers on these buses are registered for. */
export function handledTypes(busNames: readonly string[]): string[] {
  return busNames.flatMap((name) => typesOn(name));
}

/** A question for the end of an error message, if one of the names looks like what was meant; else nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  let best: string | null = null;
  let least = Math.max(2, Math.floor(name.length / 4)) + 1;
  for (const other of new Set(known)) {
    if (other === name) continue;
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
