import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { readmePrograms } from '../helpers/readme-programs.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
/** Below node_modules, so that the programs find the packages as a user's would. */
const folder = join(root, 'node_modules/.cache/readme');
const programs = await readmePrograms(join(root, 'README.md'));

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
  await rm(folder, { recursive: true, force: true });
  for (const [i, { files }] of programs.entries()) {
    await mkdir(join(folder, 'src', String(i)), { recursive: true });
    for (const [name, code] of files) await writeFile(join(folder, 'src', String(i), name), code);
  }
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  await run('npx', ['tsc', '-p', folder], { cwd: root }).catch((error: { stdout: string }) => {
    throw new Error(`The README's programs don't compile:\n${error.stdout}`);
  });
}, 60_000);

test('readme - shows a program for each of the three uses, and more', () => {
  expect(programs.filter(({ output }) => output !== null)).toHaveLength(3);
  expect(programs.length).toBeGreaterThan(8);
});

test.each(programs.map((program, i) => ({ ...program, i })))(
  'readme - prints what it says: $title',
  async ({ i, output, lines }) => {
    const { stdout } = await run(process.execPath, [join(folder, 'dist', String(i), 'main.js')], {
      cwd: folder,
      timeout: 60_000,
    });
    expect(stdout).toBe(output ?? stdout);
    const printed = stdout.split('\n').filter((line) => lines.includes(line));
    expect(printed).toEqual(lines);
  },
);
