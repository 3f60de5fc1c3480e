// Runs the tests on other Node.js versions: `npm run test:nodes [-- 22 24] [tests/opentelemetry]`. One line per version on
// stdout.
// The versions come as packages from the npm registry; one that can't be fetched is reported and skipped.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchNode } from './nodes.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const files = process.argv.slice(2).filter((arg) => arg.startsWith('tests/'));
const wanted = process.argv.slice(2).filter((arg) => !files.includes(arg));
const majors = wanted.length > 0 ? wanted : ['22', '24', '26'];

const wrong = majors.filter((major) => !/^\d+$/.test(major));
if (wrong.length > 0) {
  console.error(
    `test:nodes: expected major versions such as \`22 24\`, got \`${wrong.join(' ')}\`. Usage: npm run test:nodes [-- 22 24] [tests/...]`,
  );
  process.exit(2);
}

for (const major of majors) {
  const { line, ok } = await runOn(major);
  console.log(`node ${major}: ${line}`);
  if (!ok) process.exitCode = 1;
}

async function runOn(major) {
  const node = await fetchNode(major);
  if (node === undefined) return { line: 'not run, the package could not be installed', ok: true };
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const run = spawnSync(node, [vitest, 'run', ...files], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
    maxBuffer: 64 * 1024 * 1024,
  });
  const ok = run.status === 0;
  if (!ok) console.error(run.stdout + run.stderr);
  const tally = run.stdout.trim().split('\n').at(-1);
  return { line: `${version} ${ok ? 'ok' : `FAILED (exit ${run.status ?? run.signal})`}, ${tally}`, ok };
}
