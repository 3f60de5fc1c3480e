import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as core from '@threadbus/core';
import * as semaphore from '@threadbus/semaphore';
import * as worker from '@threadbus/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readmePrograms } from '../../scripts/readme-programs.mjs';
import { hasServer, NatsServer } from '../nats/helpers/nats-server.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
/** Below node_modules, so that the programs find the packages as a user's would. */
const folder = join(root, 'node_modules/.cache/readme');
const guide = readdirSync(join(root, 'docs/guide'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/guide/${name}`);
const packages = ['core', 'link', 'worker', 'semaphore', 'nats'].map((name) => `packages/${name}/README.md`);
const readmes = ['README.md', 'docs/guide/typescript.md', ...guide, ...packages].filter(isFirst);
const programs = (
  await Promise.all(
    readmes.map(async (readme) =>
      (await readmePrograms(join(root, readme))).map((program) => ({ ...program, readme })),
    ),
  )
)
  .flat()
  .map((program, i) => ({ ...program, i }));

/** Programs for machines name the usual address; here a server of their own has another. */
const usualServer = 'nats://127.0.0.1:4222';
let server: NatsServer | null = null;

const tsconfig = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: {
    rootDir: 'src',
    outDir: 'dist',
    composite: false,
    isolatedDeclarations: false,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
  },
  include: ['src'],
};

beforeAll(async () => {
  server = hasServer ? await NatsServer.start() : null;
  await rm(folder, { recursive: true, force: true });
  for (const { i, files } of programs) {
    for (const [name, code] of Object.entries(files)) {
      // JavaScript runs as it stands, TypeScript is compiled.
      const target = join(folder, name.endsWith('.js') ? 'dist' : 'src', String(i));
      await mkdir(target, { recursive: true });
      await writeFile(join(target, name), code.replace(usualServer, server?.url ?? usualServer));
    }
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  await run('npx', ['tsc', '-p', folder], { cwd: root }).catch((error: { stdout: string }) => {
    throw new Error(`The programs don't compile:\n${error.stdout}`);
  });
}, 60_000);

afterAll(async () => server?.[Symbol.asyncDispose]());

test('readme - the three uses come first, as programs that need no compiler', () => {
  const [cpu, buses, limits, typed] = programs;
  expect([cpu?.language, buses?.language, limits?.language, typed?.language]).toEqual(['js', 'js', 'js', 'ts']);
  expect(programs.slice(0, 4).every(({ output }) => output !== null)).toBe(true);
});

const runnable = programs.filter(({ files }) => hasServer || !Object.values(files).join().includes(usualServer));
test.each(runnable)('readme - $readme prints what it says: $title', async ({ i, output, lines }) => {
  // Every block is compared with something.
  expect(output === null ? lines.length : output.length).toBeGreaterThan(0);
  const showsLog = output?.startsWith('[threadbus]') === true;
  const { stdout, stderr } = await run(process.execPath, ['main.js'], {
    cwd: join(folder, 'dist', String(i)),
    timeout: 60_000,
    env: { ...process.env, ...(showsLog && { THREADBUS_LOG_LEVEL: 'debug' }) },
  });
  const printed = showsLog ? withoutIds(stderr) : stdout;
  expect(printed).toBe(showsLog ? withoutIds(output) : (output ?? stdout));
  const said = stdout.split('\n').filter((line) => lines.includes(line));
  expect(said).toEqual(lines);
});

test('readme - links lead to headings and files that are there', async () => {
  const text = await readFile(join(root, 'README.md'), 'utf8');
  const prose = text.replaceAll(/^```.*?^```$/gms, '');
  const anchors = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => anchorOf(title));
  const links = [...prose.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThan(15);
  const broken = links.filter((link) => {
    if (link.startsWith('https://')) return false;
    return link.startsWith('#') ? !anchors.includes(link.slice(1)) : !existsSync(join(root, link.replace(/#.*/, '')));
  });
  expect(broken).toEqual([]);
});

test('readme - has at most 250 lines', async () => {
  const text = await readFile(join(root, 'README.md'), 'utf8');
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(250);
});

/** Lists, and what has another form. */
const otherPages = /\/(?:index|guarantees|choosing|benchmarks|faq|from-bubus|inspector|stuck|metrics)\.md$/;

test.each(guide.filter((page) => !otherPages.test(page)))(
  'guide - %s says at once what it is for, and ends with its surprises',
  async (page) => {
    const text = await readFile(join(root, page), 'utf8');
    expect(text).toMatch(/^# .+\n\n[A-Z`][^\n]{40,}\n/);
    expect(text.split(/^## /m).at(-1)).toMatch(/^Surprises\n\n- /);
  },
);

test('readme - it or the guide names every error that can be caught', async () => {
  const texts = await Promise.all(['README.md', ...guide].map(async (name) => readFile(join(root, name), 'utf8')));
  const text = texts.join('\n');
  const names = [core, worker, semaphore].flatMap((exported) => Object.keys(exported));
  const errors = names.filter((name) => name.endsWith('Error') && !name.startsWith('is'));
  expect(errors.length).toBeGreaterThan(20);
  expect(errors.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

function isFirst(name: string, at: number, all: readonly string[]): boolean {
  return all.indexOf(name) === at;
}

/** Ids by the order in which they come, and no times. */
function withoutIds(log: string): string {
  const ids: string[] = [];
  const number = (id: string): string => `#${ids.includes(id) ? ids.indexOf(id) : ids.push(id) - 1}`;
  return log.replaceAll(/#[0-9a-f]{4}/g, number).replaceAll(/\(\d+\.\d{3} s\)/g, '(time)');
}

/** As GitHub makes them. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
