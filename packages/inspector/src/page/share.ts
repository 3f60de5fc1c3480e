/** Milliseconds over which it is counted. */
const window = 5000;

/** How much of what happens is shown at the moment. */
export class Share {
  #steps: readonly { readonly at: number; readonly seen: number; readonly skipped: number }[] = [];

  add(at: number, seen: number, skipped: number): void {
    this.#steps = [...this.#steps, { at, seen, skipped }].filter((step) => at - step.at < window);
  }

  /** Null if all of it is. */
  get text(): string | null {
    let seen = 0;
    let skipped = 0;
    for (const step of this.#steps) {
      seen += step.seen;
      skipped += step.skipped;
    }
    if (skipped === 0) return null;
    if (skipped === seen) return 'at the moment none is shown';
    return `a sample: of the last seconds 1 event in ${inWhole(seen / (seen - skipped))} is shown`;
  }
}

/** Few are told to a tenth. */
function inWhole(times: number): string {
  return times < 10 ? times.toFixed(1) : Math.round(times).toLocaleString('en');
}
