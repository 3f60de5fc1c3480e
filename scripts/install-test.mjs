// Packs the packages, installs the tarballs into an empty folder and uses them as a consumer would:
// from an ES module, from CommonJS and from TypeScript.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import build from './build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const names = ['core', 'semaphore', 'worker'];
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const consumer = mkdtempSync(join(tmpdir(), 'threadbus-install-'));

try {
  rebuild();
  const tarballs = pack();
  install(tarballs);
  useFromEsm();
  useFromCommonJs();
  useFromTypeScript();
} finally {
  rmSync(consumer, { recursive: true, force: true });
}

/** Builds from nothing: the compiler keeps the outputs of deleted sources, and they would be packed. */
function rebuild() {
  for (const name of names) rmSync(join(root, 'packages', name, 'dist'), { recursive: true, force: true });
  build();
}

function pack() {
  const workspaces = names.flatMap((name) => ['--workspace', `@threadbus/${name}`]);
  npm('pack', ['pack', ...workspaces, '--pack-destination', consumer], root);
  const tarballs = readdirSync(consumer).filter((file) => file.endsWith('.tgz'));
  if (tarballs.length !== names.length) {
    fail('pack', `Expected ${names.length} tarballs, got: ${tarballs.join(', ')}`);
  }
  return tarballs;
}

function install(tarballs) {
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  npm(
    'install',
    ['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs.map((file) => `./${file}`)],
    consumer,
  );
}

function useFromEsm() {
  const lines = names.map((name) => `console.log(Object.keys(await import('@threadbus/${name}')).join());`);
  writeFileSync(join(consumer, 'esm.mjs'), lines.join('\n'));
  run('import', process.execPath, ['esm.mjs'], consumer);
}

function useFromCommonJs() {
  const lines = names.map((name) => `require('@threadbus/${name}');`);
  writeFileSync(join(consumer, 'cjs.cjs'), lines.join('\n'));
  run('require', process.execPath, ['cjs.cjs'], consumer);
}

/** With `skipLibCheck: false`: our declarations must not name types that only compile with it on. */
function useFromTypeScript() {
  const lines = names.map((name) => `export * as ${name} from '@threadbus/${name}';`);
  writeFileSync(join(consumer, 'types.ts'), lines.join('\n'));
  symlinkSync(join(root, 'node_modules', '@types'), join(consumer, 'node_modules', '@types'), 'junction');
  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const options = { module, moduleResolution, target: 'es2022', lib: ['es2022', 'esnext.disposable'] };
    const compilerOptions = { ...options, strict: true, noEmit: true, skipLibCheck: false, types: ['node'] };
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.ts'] }));
    run(`types (${moduleResolution})`, process.execPath, [compiler, '-p', '.'], consumer);
  }
}

function npm(step, args, cwd) {
  run(step, 'npm', args, cwd, process.platform === 'win32');
}

function run(step, command, args, cwd, shell = false) {
  const result = spawnSync(command, args, { cwd, shell, encoding: 'utf8' });
  if (result.status !== 0) fail(step, `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`);
  console.log(`install-test: ${step} ok`);
}

function fail(step, output) {
  console.error(`${output}\ninstall-test: ${step} FAILED`);
  rmSync(consumer, { recursive: true, force: true });
  process.exit(1);
}
