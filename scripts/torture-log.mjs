// Kills the writers of logs at random for a while: `npm run torture:log -- [minutes]`, ten unless told otherwise.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [minutes = '10'] = process.argv.slice(2);
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
// Four tests, one after the other; then writers that are killed at each of their calls.
const env = { ...process.env, THREADBUS_TORTURE_SECONDS: String((Number(minutes) * 60) / 4) };
const files = ['kill-torture', 'killed-writer'].map((file) => join('tests', 'core', 'log', `${file}.test.ts`));
const args = [vitest, 'run', ...files];
process.exitCode = spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
