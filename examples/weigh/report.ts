import type { Failure, Package, PackageTotals, ReportData, Totals, Weight } from './events.ts';

/** The totals of all files, and of each package. */
export class Report {
  readonly #totals = noTotals();
  readonly #packages = new Map<string, PackageTotals>();
  readonly #failures: Failure[] = [];

  add(owner: Package, weight: Weight): void {
    addTo(this.#totals, weight);
    let totals = this.#packages.get(owner.path);
    if (totals === undefined) this.#packages.set(owner.path, (totals = { ...owner, ...noTotals() }));
    addTo(totals, weight);
  }

  addFailure(failure: Failure): void {
    this.#failures.push(failure);
  }

  /** The same for the same files, in whatever order they came. */
  data(): ReportData {
    const packages = [...this.#packages.values()];
    packages.sort((a, b) => b.brotli - a.brotli || byPath(a, b));
    return { totals: this.#totals, packages, failures: [...this.#failures].sort(byPath) };
  }
}

function noTotals(): Totals {
  return { files: 0, raw: 0, minified: 0, gzip: 0, brotli: 0 };
}

function addTo(totals: Totals, { raw, minified, gzip, brotli }: Weight): void {
  totals.files += 1;
  totals.raw += raw;
  totals.minified += minified;
  totals.gzip += gzip;
  totals.brotli += brotli;
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}
