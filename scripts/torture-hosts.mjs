// Runs random programs over threads and processes that are killed: `npm run torture:hosts -- [programs] [seed]`, 2,000 unless told otherwise.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [programs = '2000', seed] = process.argv.slice(2);
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const env = { ...process.env, THREADBUS_PROGRAMS: programs };
if (seed !== undefined) env.THREADBUS_SEED = seed;
const args = [vitest, 'run', join('tests', 'worker', 'process', 'killed-plans.test.ts')];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
