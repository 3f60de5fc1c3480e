import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** What the program printed, on both streams as they came; its exit code is the last line. A file never makes it wait. */
function run(...args: readonly string[]): readonly string[] {
  const file = join(tempFolder(), 'output');
  const program = fileURLToPath(fixtureUrl('worker/printing-program'));
  const output = openSync(file, 'a');
  const { status } = spawnSync(process.execPath, [program, ...args], {
    stdio: ['ignore', output, output],
    timeout: 15_000,
  });
  closeSync(output);
  const lines = readFileSync(file, 'utf8').split('\n');
  return [...lines.filter((line) => line !== ''), `code ${status}`];
}

test.each([
  ['answer', 3],
  ['answer', 20_000],
  ['throw', 2000],
  ['exit', 20_000],
  ['close', 2000],
])('output - what a handler prints before its %s comes before it, all %i lines', (what, count) => {
  const lines = run(what, String(count));
  expect(lines.slice(-2)).toEqual(['main', 'code 0']);
  const printed = lines.filter((line) => line.startsWith('handler'));
  expect(printed.length).toBe(count);
  for (const parity of [0, 1]) {
    const numbers = printed.map((line) => Number(line.split(' ').at(-1))).filter((number) => number % 2 === parity);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  }
});

test('output - what a handler prints when it is aborted by stop comes before the stop has ended', () => {
  const lines = run('stop', '2000');
  expect(lines.slice(-2)).toEqual(['main', 'code 0']);
  expect(lines.filter((line) => line.startsWith('handler a aborted')).length).toBe(2000);
});

test('output - of a hundred handlers at a time, each has its lines before its own answer', () => {
  const lines = run('burst', '5');
  const at = new Map(lines.map((line, index) => [line, index]));
  const late = Array.from({ length: 100 }, (_, i) => i).filter((i) =>
    [1, 2, 3, 4, 5].some((line) => (at.get(`handler ${i} ${line}`) ?? Infinity) > (at.get(`main ${i}`) ?? -1)),
  );
  expect(lines.length).toBe(601);
  expect(late).toEqual([]);
});

test('output - an answer that waits for its lines is not lost when the next handler blocks the thread', () => {
  const lines = run('runaway', '500');
  expect(lines.filter((line) => line.startsWith('handler first')).length).toBe(500);
  expect(lines.some((line) => line.startsWith('main'))).toBe(true);
});

test('output - an answer comes though the process has closed its own output', () => {
  expect(run('closed', '3')).toEqual(['code 42']);
});
