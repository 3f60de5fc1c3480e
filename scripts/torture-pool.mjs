// Storms of calls to pools whose threads fail in all ways: `npm run torture:pool -- [seed]`. Takes long.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [seed] = process.argv.slice(2);
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const env = { ...process.env, THREADBUS_TORTURE: '1' };
if (seed !== undefined) env.THREADBUS_SEED = seed;
const args = [vitest, 'run', join('tests', 'worker', 'pool', 'pool-storm.test.ts')];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
