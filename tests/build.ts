import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Brings every `dist` up to date before the first test: tests run on built output, also with `npx vitest`. */
export default function build(): void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  const { status } = spawnSync(process.execPath, [compiler, '-b'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0)
    throw new Error('The build (tsc -b) failed: fix the compiler errors above, then run the tests again.');
}
