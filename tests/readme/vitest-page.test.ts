import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
/** Below node_modules, so that the project finds what the packages need. They themselves are copied: links are no packages to vitest. */
const folder = join(root, 'node_modules/.cache/vitest-page');

/** The files of a project that the page on testing shows: each begins with its name. */
async function filesOfPage(): Promise<Map<string, string>> {
  const page = await readFile(join(root, 'docs/guide/testing.md'), 'utf8');
  const blocks = page.matchAll(/^```typescript\n\/\/ (\S+)\n(.*?)^```$/gms);
  return new Map([...blocks].map(([, name = '', text = '']) => [name, text]));
}

/** @returns what vitest says of the project */
async function tested(files: Map<string, string>): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  for (const name of ['core', 'link', 'worker']) {
    for (const part of ['package.json', 'dist']) {
      const copy = join(folder, 'node_modules/@threadbus', name, part);
      await cp(join(root, 'packages', name, part), copy, { recursive: true });
    }
  }
  for (const [name, text] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
  const env = { ...process.env, NO_COLOR: '1', CI: '1' };
  const { stdout, stderr } = await run(process.execPath, [vitest, 'run'], { cwd: folder, env }).catch(
    (failed: { stdout: string; stderr: string }) => failed,
  );
  return stdout + stderr;
}

test('vitest page - the mock reaches the handler of an inline pool by the settings shown, and only by them', async () => {
  const files = await filesOfPage();
  expect([...files.keys()]).toEqual(['vitest.config.ts', 'tests/rates.test.ts']);
  files.set('package.json', '{ "type": "module" }');
  files.set('src/rates.ts', 'export const rateOf = (): number => 3;\n');
  files.set(
    'src/convert.ts',
    "import { rateOf } from './rates.js';\nexport default ({ amount }: { amount: number }): number => amount * rateOf();\n",
  );
  expect(await tested(files)).toContain('1 passed');
  const config = files.get('vitest.config.ts') ?? '';
  files.set('vitest.config.ts', config.replace(/^.*server: .*$/m, ''));
  expect(await tested(files)).toContain('expected 63 to be 42');
}, 120_000);
