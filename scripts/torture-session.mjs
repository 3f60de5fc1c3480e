// Runs many random programs of linked buses over a session whose carrier loses, doubles and swaps packets and breaks,
// and for each five of them one with signals, first results, streams and what breaks:
// `npm run torture:session -- [programs] [seed]`, 100,000 unless told otherwise.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [programs = '100000', seed] = process.argv.slice(2);
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const env = { ...process.env, THREADBUS_PROGRAMS: programs };
if (seed !== undefined) env.THREADBUS_SEED = seed;
const files = ['link-programs.test.ts', 'cancel-programs.test.ts'].map((file) =>
  join('tests', 'nats', 'session', file),
);
const args = [vitest, 'run', '--no-file-parallelism', ...files];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
