// Runs many random programs over linked buses: `npm run torture:links -- [programs] [seed]`, 100,000 unless told otherwise,
// and a twentieth as many with signals.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [programs = '100000', seed] = process.argv.slice(2);
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const env = { ...process.env, THREADBUS_PROGRAMS: programs };
if (seed !== undefined) env.THREADBUS_SEED = seed;
const files = ['torture.test.ts', 'cancel-torture.test.ts'].map((name) => join('tests', 'link', name));
const args = [vitest, 'run', ...files];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
