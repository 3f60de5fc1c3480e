// Storms of events to threads, or processes, that are killed at random, and random programs over them:
// `npm run torture:threads -- [seed]`, or `npm run torture:processes -- [seed]`. Takes long.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [where, seed] = process.argv.slice(2);
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const env = { ...process.env, THREADBUS_TORTURE: '1', THREADBUS_WHERE: where };
if (seed !== undefined) env.THREADBUS_SEED = seed;
// Processes and their parents are killed from outside, too.
const files = where === 'process' ? ['storm', 'kill-storm'] : ['storm'];
const storms = files.map((file) => join('tests', 'worker', where, `${file}.test.ts`));
const args = [vitest, 'run', ...storms, join('tests', 'worker', 'bus-program.test.ts')];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
