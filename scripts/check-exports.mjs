// What others find in the packages as they are packed, bundled and all: that what their package.json names is there, and
// that TypeScript resolves the same as Node.js. Part of `npm run check:install`; `npm run check:exports` does this alone.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { pack } from './pack.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const attw = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
/** By which the packages share code: nobody else's, so without types. */
const untyped = ['--exclude-entrypoints', 'internal', 'internal/bus'];
const execute = promisify(execFile);

/** @param tarballs paths @throws what is wrong with them */
export async function checkExports(tarballs) {
  const problems = (await Promise.all(tarballs.map(problemsOf))).flat();
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

async function problemsOf(tarball) {
  const bytes = readFileSync(tarball);
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: data }, strict: true, level: 'warning' });
  const found = messages.map((message) => formatMessage(message, pkg, { color: false }));
  try {
    await execute(process.execPath, [attw, tarball, '--format', 'ascii', '--profile', 'esm-only', ...untyped]);
  } catch (error) {
    found.push(error.stdout || error.message);
  }
  return found.map((each) => `${basename(tarball)}: ${each}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = mkdtempSync(join(tmpdir(), 'threadbus-exports-'));
  try {
    const tarballs = await pack(folder);
    await checkExports(tarballs.map((name) => join(folder, name)));
    console.log(`exports: ${tarballs.length} packages ok`);
  } catch (error) {
    console.error(`check-exports: ${error.message}`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
