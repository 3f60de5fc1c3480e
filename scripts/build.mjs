// Builds and typechecks every project with `tsc -b`. Also Vitest's global setup, so that tests never run on an old build.
// Output goes to stderr: whoever asked for the build keeps stdout to itself.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const projects = [
  'packages/core',
  'packages/inspector',
  'packages/link',
  'packages/nats',
  'packages/opentelemetry',
  'packages/semaphore',
  'packages/worker',
  'bench',
  'examples',
];
const outputs = [...projects.map((project) => join(project, 'dist')), join('tests', 'fixtures-dist')];

/** What the examples are made of. */
const shown = ['core', 'link', 'nats', 'semaphore', 'worker'].map((name) => join('packages', name, 'dist'));

export default function build() {
  compile([], outputs);
}

/** The examples and what they need, for those who want to see one soon: a third of the work. */
export function buildExamples() {
  compile(['examples'], [...shown, join('examples', 'dist')]);
}

function compile(only, made) {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  // The compiler trusts its build info, which lives elsewhere, and would not notice that the outputs are gone.
  const force = made.every((folder) => existsSync(join(root, folder))) ? [] : ['--force'];
  const args = [compiler, '-b', ...only, ...force];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('The build (tsc -b) failed: fix the compiler errors above, then try again.');
}
