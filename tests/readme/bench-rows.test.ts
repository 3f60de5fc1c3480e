import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { benchRowProblems, withBenchRows } from '../../scripts/bench-rows.mjs';

const guide = await readFile(new URL('../../docs/guide/benchmarks.md', import.meta.url), 'utf8');
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const section = readme.slice(readme.indexOf('\n## Benchmarks'));
/** The first row of the README, as the guide has it. */
const [load = ''] = /(?<=^\| )(?!load|-)\S.*?(?= +\|)/m.exec(section) ?? [];
const line = guide.split('\n').find((each) => each.startsWith(`| ${load} `)) ?? '';

test('bench rows - those of the README are some of the guide', () => {
  expect(line).not.toBe('');
  expect(benchRowProblems(readme, guide)).toEqual([]);
});

test('bench rows - new figures in the guide are found missing in the README, and brought there', () => {
  const newer = guide.replace(line, line.replace(/ *\|$/, ', faster |'));
  expect(benchRowProblems(readme, newer)).toEqual([expect.stringContaining(load)]);
  expect(benchRowProblems(withBenchRows(readme, newer), newer)).toEqual([]);
});

test('bench rows - a row that the guide has no more is found', () => {
  expect(benchRowProblems(readme, guide.replace(`${line}\n`, ''))).toHaveLength(1);
});
