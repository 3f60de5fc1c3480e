// The README's benchmark table is a part of the guide's: figures are written in docs/guide/benchmarks.md alone, and
// `npm run check:docs -- --fix` brings the README's rows, which are known by their first cell, up to date.

const row = /^\| (.+?) +\|.*\|$/;

/** The README with the guide's rows. */
export function withBenchRows(readme, guide) {
  const rows = rowsOf(guide);
  const [before, section, after] = benchSection(readme);
  const lines = section.split('\n').map((line) => rows.get(row.exec(line)?.[1]) ?? line);
  return before + lines.join('\n') + after;
}

/** Rows of the README that the guide doesn't have, or has with other figures. */
export function benchRowProblems(readme, guide) {
  const rows = rowsOf(guide);
  const [, section] = benchSection(readme);
  return [...rowsOf(section)]
    .filter(([load, line]) => plain(rows.get(load) ?? '') !== plain(line))
    .map(
      ([load]) =>
        `README.md: its row "${load}" is not the one of docs/guide/benchmarks.md: npm run check:docs -- --fix`,
    );
}

/** Rows by their first cell; neither the head nor the line below it. */
function rowsOf(text) {
  const lines = text.split('\n').filter((line) => row.test(line) && !/^\| (?:load|-+) /.test(line));
  return new Map(lines.map((line) => [row.exec(line)[1], line]));
}

function benchSection(readme) {
  const from = readme.indexOf('\n## Benchmarks\n');
  const to = readme.indexOf('\n## ', from + 1);
  return [readme.slice(0, from), readme.slice(from, to), readme.slice(to)];
}

/** Without what the formatter does to tables. */
function plain(text) {
  return text.replaceAll(/ +/g, ' ');
}
