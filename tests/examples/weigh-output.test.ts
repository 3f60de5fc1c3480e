import { resolve } from 'node:path';
import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Progress, progressBar, progressText } from '../../examples/dist/weigh/progress.js';
import { Report } from '../../examples/dist/weigh/report.js';
import { sampleTree } from '../../examples/dist/weigh/sample-tree.js';
import { StallMeter } from '../../examples/dist/weigh/stall-meter.js';
import { comparisonText } from '../../examples/dist/weigh/summary.js';
import { packageTable } from '../../examples/dist/weigh/table.js';
import { bytes, count, duration } from '../../examples/dist/weigh/units.js';

const folder = resolve('/project');

function reportOf(...packages: [name: string, version: string | null, path: string, brotli: number][]) {
  const report = new Report();
  for (const [name, version, path, brotli] of packages) {
    const weight = { raw: brotli * 10, minified: brotli * 4, gzip: brotli * 2, brotli };
    report.add({ name, version, path: resolve(folder, path) }, weight);
  }
  return report;
}

test('units - bytes have three digits, durations whole seconds', () => {
  const sizes = [0, 1, 999, 1000, 9994, 9996, 99_940, 99_960, 999_499, 999_500, 52_925_582, 4e12];
  expect(sizes.map((size) => bytes(size))).toEqual(
    ['0 B', '1 B', '999 B', '1.00 kB', '9.99 kB', '10.0 kB', '99.9 kB'].concat([
      '100 kB',
      '999 kB',
      '1.00 MB',
      '52.9 MB',
      '4.00 TB',
    ]),
  );
  expect([0.4, 59.4, 59.6, 65, 3600].map((seconds) => duration(seconds))).toEqual([
    '0 s',
    '59 s',
    '1 min 00 s',
    '1 min 05 s',
    '60 min 00 s',
  ]);
  expect([count(1, 'file'), count(0, 'file')]).toEqual(['1 file', '0 files']);
});

test('report - totals of all and of each package, in an order that does not depend on that of the files', () => {
  const report = reportOf(['b', '1.0.0', 'b', 5], ['a', '1.0.0', 'a', 5], ['c', null, 'c', 7], ['a', '1.0.0', 'a', 1]);
  const noOne = { name: 'x', version: null, path: folder };
  for (const path of ['/z.js', '/y.js']) report.addFailure({ path, package: noOne, reason: 'because' });
  const { totals, packages, failures } = report.data();
  expect(totals).toEqual({ files: 4, raw: 180, minified: 72, gzip: 36, brotli: 18 });
  expect(packages.map(({ name, files, raw, brotli }) => [name, files, raw, brotli])).toEqual([
    ['c', 1, 70, 7],
    ['a', 2, 60, 6],
    ['b', 1, 50, 5],
  ]);
  expect(failures.map(({ path }) => path)).toEqual(['/y.js', '/z.js']);
});

test('table - packages by brotli size with bars; several copies of one version say where they are', () => {
  const report = reportOf(
    ['big', '1.0.0', 'node_modules/big', 40_000],
    ['@scope/half', null, 'node_modules/@scope/half', 20_000],
    ['small', '1.0.0', 'node_modules/small', 10],
    ['small', '1.0.0', 'node_modules/big/node_modules/small', 9],
    ['none', '1.0.0', 'node_modules/none', 0],
  );
  expect(packageTable(report.data(), folder).split('\n')).toEqual([
    'package                                       files     raw  minified     gzip   brotli',
    'big 1.0.0                                         1  400 kB    160 kB  80.0 kB  40.0 kB  ████████████████████',
    '@scope/half                                       1  200 kB   80.0 kB  40.0 kB  20.0 kB  ██████████',
    'small 1.0.0 (node_modules/small)                  1   100 B      40 B     20 B     10 B  ▏',
    'small 1.0.0 (node_modules/big/node_modules/…      1    90 B      36 B     18 B      9 B  ▏',
    'none 1.0.0                                        1     0 B       0 B      0 B      0 B',
    'total                                             5  600 kB    240 kB   120 kB  60.0 kB',
  ]);
});

test('progress - the share is that of the bytes, and the time left follows from it', () => {
  const state = { files: 3, allFiles: 10, bytes: 25_000, allBytes: 100_000, seconds: 20 };
  const text = '3 of 10 files, 25.0 kB of 100 kB (25 %), 0.1 files/s, about 1 min 00 s left';
  expect(progressText(state)).toBe(text);
  expect(progressBar(state)).toBe(`[${'█'.repeat(6)}${'░'.repeat(18)}] ${text}`);
  expect(progressText({ ...state, bytes: 100_000, files: 10 })).toBe(
    '10 of 10 files, 100 kB of 100 kB (100 %), 0.5 files/s',
  );
  expect(progressText({ files: 1, allFiles: 2, bytes: 0, allBytes: 0, seconds: 1 })).toContain('(50 %)');
});

test('progress - a bar in place on a terminal with lines above it, plain lines elsewhere', async () => {
  const written: string[] = [];
  const write = (text: string): unknown => written.push(text);
  const terminal = new Progress({ isTTY: true, write }, { files: 2, bytes: 10 });
  await new Promise((resolveTimer) => setTimeout(resolveTimer, 120)); // It is redrawn every 100 ms at most.
  terminal.advance(5);
  terminal.say('hello');
  terminal.end();
  const erase = '\r\u001B[K';
  expect(written).toHaveLength(4);
  expect(written[0]?.startsWith(`${erase}[${'█'.repeat(12)}${'░'.repeat(12)}] 1 of 2 files, `)).toBe(true);
  expect(written.slice(1)).toEqual([erase, 'hello\n', erase]);
  written.length = 0;
  const piped = new Progress({ write }, { files: 1, bytes: 5 });
  piped.say('hello');
  piped.advance(5);
  piped.end();
  expect(written).toEqual(['hello\n']);
});

test('sample tree - one event of several, with all below it', async () => {
  await using bus = new EventBus({ name: 'Sample' });
  const Parent = BaseEvent.extend('Parent', {});
  const Child = BaseEvent.extend('Child', {});
  bus.on(Parent, async function parentHandler({ event_bus }) {
    await event_bus.dispatch(new Child({}));
  });
  bus.on(Child, function childHandler() {});
  const events = await Promise.all([1, 2, 3].map(() => bus.dispatch(new Parent({}))));
  const trees = events.map((event) => sampleTree(bus.logTree(), event));
  for (const [i, tree] of trees.entries()) {
    expect(tree?.split('\n').map((line) => line.replace(/#\w{4}.*/, ''))).toEqual([
      '└── ✅ Parent',
      '    └── ✅ Sample.parentHandler',
      '        └── ✅ Child',
      '            └── ✅ Sample.childHandler',
    ]);
    expect(tree).toContain(`Parent#${events[i]?.event_id.slice(-4)}`);
  }
  expect(sampleTree(bus.logTree(), new Parent({}))).toBeNull();
});

test('stalls - the longest time that the thread was blocked', async () => {
  const meter = new StallMeter();
  await new Promise((resolveTimer) => setTimeout(resolveTimer, 10));
  const until = performance.now() + 60;
  while (performance.now() < until);
  await new Promise((resolveTimer) => setTimeout(resolveTimer, 10));
  const { p99, max } = meter.stop();
  expect(max).toBeGreaterThanOrEqual(60);
  expect(p99).toBeLessThanOrEqual(max);
});

test('comparison - what one thread has done with a part stands for the whole', () => {
  const outcome = { folder, threads: 2, limit: 2, report: reportOf().data(), stalls: { p99: 1, max: 1 }, tree: null };
  expect(comparisonText({ ...outcome, seconds: 20 }, { ...outcome, threads: 1, seconds: 9 }, 0.25)).toBe(
    'With one thread 9 s for 25 % of the bytes, so about 36 s for all; with 2 20 s: 1.80 times as fast.\n',
  );
});
