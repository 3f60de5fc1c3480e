import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { type BaseEvent, readWal } from '@threadbus/core';
import { minify } from 'terser';
import { expect, test, vi } from 'vitest';
import { makeFolder } from '../helpers/folder.ts';
import { npmStart, readLog, runWeigh } from '../helpers/weigh.ts';

// Each starts a process with threads of its own, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

interface Totals {
  files: number;
  raw: number;
  minified: number;
  gzip: number;
  brotli: number;
}

interface Document {
  folder: string;
  threads: number;
  limit: number;
  totals: Totals;
  packages: (Totals & { name: string; version: string | null; path: string })[];
  failures: { path: string; package: { name: string }; reason: string }[];
  seconds: number;
  files_per_second: number;
  main_thread_stall_ms: { p99: number; max: number };
  tree: string;
}

const fixture = {
  'node_modules/one/package.json': '{"name":"one","version":"1.0.0"}',
  'node_modules/one/index.js':
    'export const answer = 42; // the answer\nexport function twice(value) { return value * 2; }\n',
  'node_modules/one/empty.js': '',
  'node_modules/one/broken.js': 'export const = ;\n',
  'node_modules/one/notes.txt': 'not a source',
  'node_modules/one/lib/common.cjs':
    "'use strict';\nmodule.exports = function common(first, second) { return [first, second]; };\n",
  'node_modules/one/lib/ümläut.mjs': 'const text = "grün ✓";\nexport default text;\n',
  'node_modules/one/node_modules/@scope/two/package.json': '{"name":"@scope/two","version":"0.2.0"}',
  'node_modules/one/node_modules/@scope/two/a.js': 'module.exports = { a: 1, b: 2, c: [1, 2, 3] };\n',
  'node_modules/@scope/two/package.json': '{"name":"@scope/two","version":"0.3.0"}',
  'node_modules/@scope/two/a.js': `exports.list = [${Array.from({ length: 500 }, (_, i) => i * 7).join(', ')}];\n`,
};

/** Totals of these files, by terser and zlib alone. */
async function directTotals(paths: readonly string[]): Promise<Totals> {
  const totals = { files: 0, raw: 0, minified: 0, gzip: 0, brotli: 0 };
  for (const path of paths) {
    const source = await readFile(path);
    const { code = '' } = await minify(source.toString('utf8'));
    totals.files += 1;
    totals.raw += source.length;
    totals.minified += Buffer.byteLength(code);
    totals.gzip += gzipSync(code).length;
    totals.brotli += brotliCompressSync(code).length;
  }
  return totals;
}

async function weighed(folder: string, ...options: string[]): Promise<Document> {
  const { code, stdout, stderr } = await runWeigh([folder, '--json', ...options], await makeFolder());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Document;
}

test('weigh - totals of a folder are those of terser and zlib, package by package', async () => {
  const folder = await makeFolder(fixture);
  const document = await weighed(folder, '--threads', '2');
  const paths = Object.keys(fixture)
    .filter((path) => /\.[cm]?js$/.test(path) && !path.endsWith('broken.js'))
    .map((path) => join(folder, path));

  expect(document.totals).toEqual(await directTotals(paths));
  const packages = [
    ['@scope/two', '0.3.0', 'node_modules/@scope/two'],
    ['one', '1.0.0', 'node_modules/one'],
    ['@scope/two', '0.2.0', 'node_modules/one/node_modules/@scope/two'],
  ] as const;
  const expected = await Promise.all(
    packages.map(async ([name, version, path]) => {
      const deeper = join(folder, path, 'node_modules');
      const own = paths.filter((file) => file.startsWith(join(folder, path)) && !file.startsWith(deeper));
      return { name, version, path: join(folder, path), ...(await directTotals(own)) };
    }),
  );
  expect(document.packages).toEqual(expected);
  const [failure, ...others] = document.failures;
  expect(others).toEqual([]);
  expect(failure).toMatchObject({
    path: join(folder, 'node_modules/one/broken.js'),
    package: { name: 'one', version: '1.0.0', path: join(folder, 'node_modules/one') },
  });
  expect(failure?.reason).toMatch(/^Name expected \(line 1, column \d+\)$/);
  expect(document).toMatchObject({ folder, threads: 2 });
  expect(document.main_thread_stall_ms.max).toBeGreaterThanOrEqual(document.main_thread_stall_ms.p99);
  expect(document.seconds).toBeGreaterThan(0);
});

test('weigh - totals of an installed package are those of terser and zlib', async () => {
  const folder = join(fileURLToPath(new URL('../..', import.meta.url)), 'node_modules', 'proper-lockfile');
  const entries = await readdir(folder, { recursive: true });
  const paths = entries.filter((path) => /\.[cm]?js$/.test(path)).map((path) => join(folder, path));
  expect(paths.length).toBeGreaterThan(3);
  const document = await weighed(folder);
  expect(document.totals).toEqual(await directTotals(paths));
  expect(document.packages).toEqual([
    expect.objectContaining({ name: 'proper-lockfile', path: folder, ...document.totals }),
  ]);
});

test('weigh - every event is in the log, and one tree spans the threads', async () => {
  const folder = await makeFolder(fixture);
  const logs = await makeFolder();
  const [wal, log] = [join(logs, 'events.wal'), join(logs, 'minifications.txt')];
  const { tree } = await weighed(folder, '--threads', '2', '--wal', wal, '--log', log);
  const events: BaseEvent[] = [];
  for await (const event of readWal(wal)) events.push(event);
  const ofType = (type: string) => events.filter(({ event_type }) => event_type === type);
  expect([ofType('FileFound'), ofType('FileWeighed'), ofType('FileFailed')].map(({ length }) => length)).toEqual([
    7, 6, 1,
  ]);
  expect(ofType('ReportWanted')).toHaveLength(1);
  const found = new Set(ofType('FileFound').map(({ event_id }) => event_id));
  for (const event of [...ofType('FileWeighed'), ...ofType('FileFailed')]) {
    expect(found).toContain(event.event_parent_id);
    expect(event.event_path).toEqual(['Main', 'Report']);
  }
  // Minified in threads; none of them is the main thread.
  const minified = await readLog(log);
  expect(minified).toHaveLength(14);
  expect(minified.map(({ threadId }) => threadId)).not.toContain(0);
  const lines = tree.split('\n').map((line) =>
    line
      .replaceAll(/#\w{4}|\[.*\]/g, '')
      .replace(/ +→.*/, '')
      .trimEnd(),
  );
  expect(lines[0]).toBe('└── ✅ FileFound');
  expect(lines[1]).toMatch(/^ {4}└── ✅ Main\.\w+/);
  expect(lines[2]).toBe('        └── ✅ FileWeighed');
  expect(lines.slice(3).some((line) => line.endsWith('✅ Report.addWeight'))).toBe(true);
});

test('weigh - for people: progress on stderr, then the table, what failed, the tree and the stalls', async () => {
  const folder = await makeFolder(fixture);
  const { code, stdout, stderr } = await runWeigh([folder, '--threads', '1', '--limit', '1'], await makeFolder());
  expect(code).toBe(0);
  // On a machine that takes its time lines of progress follow.
  const [head, ...progress] = stderr.trimEnd().split('\n');
  expect(head).toBe(`Weighing 7 files (3.15 kB) below ${folder} with 1 thread, at most 1 minification at once.`);
  for (const line of progress) expect(line).toMatch(/^\d of 7 files, /);
  expect(stdout).toMatch(/^package +files +raw +minified +gzip +brotli\n@scope\/two 0\.3\.0 .* █{20}\none 1\.0\.0 /);
  expect(stdout).toContain('\n\nCould not be weighed: 1 file\n  node_modules/one/broken.js: Name expected (line 1, ');
  expect(stdout).toContain('\n\nThe events of one file, over the threads:\n└── ✅ FileFound#');
  expect(stdout).toMatch(/\n7 files in \d+ s: [\d.]+ files\/s with 1 thread, at most 1 minification at once/);
  expect(stdout).toMatch(/\nMain thread, ticks of a 2 ms interval: p99 [\d.]+ ms, longest stall [\d.]+ ms\.\n$/);
});

test('weigh - a folder without sources, the help, and what makes no sense', async () => {
  const folder = await makeFolder({ 'a.txt': '' });
  const slots = await makeFolder();
  const [none, help, wrong] = await Promise.all([
    runWeigh([folder], slots),
    runWeigh(['--help'], slots),
    runWeigh([folder, '--threads', 'many'], slots),
  ]);
  expect(none).toMatchObject({ code: 0, stdout: `No .js, .mjs or .cjs files below ${folder}.\n` });
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toMatch(/^Usage: npm start /);
  expect(wrong).toMatchObject({ code: 2, stdout: '' });
  expect(wrong.stderr).toMatch(
    /^weigh: Expected --threads to be a whole number from 1 to 1024, got "many"\.\n\nUsage:/,
  );
});

test('weigh - npm start builds what is missing and prints the document alone', async () => {
  const folder = await makeFolder(fixture);
  const { code, stdout } = await npmStart([folder, '--json'], await makeFolder());
  expect(code).toBe(0);
  const { totals, packages } = JSON.parse(stdout) as Document;
  expect(totals.files).toBe(6);
  expect(packages.map(({ path }) => relative(folder, path))).toHaveLength(3);
});
