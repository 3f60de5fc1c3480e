import { relative } from 'node:path';
import type { PackageTotals, ReportData, Totals } from './events.ts';
import { bytes } from './units.ts';

const BAR_WIDTH = 20;
const NAME_WIDTH = 44;

/** The packages, heaviest in brotli first, with a bar for their share of the heaviest; the totals below. */
export function packageTable({ packages, totals }: ReportData, folder: string): string {
  const names = packages.map((one) => clip(packageLabel(one, packages, folder)));
  const head = ['package', 'files', 'raw', 'minified', 'gzip', 'brotli'];
  const rows = packages.map((one, i) => [names[i] ?? '', ...cellsOf(one)]);
  const last = ['total', ...cellsOf(totals)];
  const widths = head.map((_, column) => Math.max(...[head, ...rows, last].map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  const heaviest = packages[0]?.brotli ?? 0;
  return [
    line(head),
    ...rows.map((row, i) => `${line(row)}  ${bar(packages[i]?.brotli ?? 0, heaviest)}`.trimEnd()),
    line(last),
  ].join('\n');
}

/** `name version`; of several copies of one version also where each is. */
export function packageLabel(one: PackageTotals, all: readonly PackageTotals[], folder: string): string {
  const label = one.version === null ? one.name : `${one.name} ${one.version}`;
  const copies = all.filter(({ name, version }) => name === one.name && version === one.version);
  return copies.length > 1 ? `${label} (${relative(folder, one.path) || '.'})` : label;
}

function cellsOf({ files, raw, minified, gzip, brotli }: Totals): string[] {
  return [String(files), ...[raw, minified, gzip, brotli].map((size) => bytes(size))];
}

function bar(size: number, most: number): string {
  const filled = most === 0 ? 0 : Math.round((size / most) * BAR_WIDTH);
  return filled === 0 && size > 0 ? '▏' : '█'.repeat(filled);
}

function clip(name: string): string {
  return name.length <= NAME_WIDTH ? name : `${name.slice(0, NAME_WIDTH - 1)}…`;
}
