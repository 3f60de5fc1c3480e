// Six processes share a limit over NATS, and are killed, stopped and cut off at random:
// `npm run torture:limits -- [seconds] [seed]`, five minutes unless told otherwise.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [seconds = '300', seed] = process.argv.slice(2);
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const env = { ...process.env, THREADBUS_SECONDS: seconds };
if (seed !== undefined) env.THREADBUS_SEED = seed;
const args = [vitest, 'run', join('tests', 'nats', 'limits', 'torture.test.ts')];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
