// Builds the packages and puts their tarballs into a folder: `npm run pack -- ../my-app`.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build as esbuild } from 'esbuild';
import build from './build.mjs';
import { bundleDeclarations } from './declarations.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const execute = promisify(execFile);
export const packageNames = ['core', 'inspector', 'link', 'nats', 'opentelemetry', 'semaphore', 'worker'];

/** Files that others load by name: what the packages export, and what threads start with. */
const entries = {
  core: ['index', 'internal', 'seam/bus-class'],
  inspector: ['index', 'register', 'agent/agent-entry', 'page/app'],
  link: ['index', 'internal'],
  nats: ['index'],
  opentelemetry: ['index'],
  semaphore: ['index'],
  worker: ['index', 'internal', 'thread/worker-entry', 'process/process-entry', 'process/lifeline', 'pool/pool-task'],
};

/** @returns the names of the tarballs */
export async function pack(folder) {
  for (const name of packageNames) dropOrphans(join(root, 'packages', name));
  build();
  const stage = mkdtempSync(join(tmpdir(), 'threadbus-pack-'));
  try {
    await Promise.all(packageNames.map((name) => packOne(name, join(stage, name), folder)));
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  const tarballs = packageNames.map((name) => `threadbus-${name}-${versionOf(name)}.tgz`);
  const missing = tarballs.filter((tarball) => !existsSync(join(folder, tarball)));
  if (missing.length > 0) throw new Error(`npm pack left none of ${missing.join(', ')}`);
  return tarballs;
}

/** The compiler keeps the outputs of deleted sources, and they would be packed. */
function dropOrphans(folder) {
  const dist = join(folder, 'dist');
  if (!existsSync(dist)) return;
  for (const file of readdirSync(dist, { recursive: true })) {
    const [, source] = /^(.*?)(?:\.d)?\.[jt]s(?:\.map)?$/.exec(file) ?? [];
    if (source !== undefined && !existsSync(join(folder, 'src', `${source}.ts`))) rmSync(join(dist, file));
  }
}

async function packOne(name, stage, folder) {
  cpSync(join(root, 'packages', name), stage, { recursive: true, filter: (path) => !path.endsWith('node_modules') });
  await bundle(stage, entries[name]);
  await execute('npm', ['pack', '--pack-destination', folder], { cwd: stage, shell: process.platform === 'win32' });
}

/** Puts a package's modules into few files, Node takes twice as long to load fifty, and its declarations likewise. */
async function bundle(stage, names) {
  const dist = join(stage, 'dist');
  const outdir = join(stage, 'bundle');
  await esbuild({
    entryPoints: names.map((name) => join(dist, `${name}.js`)),
    outdir,
    outbase: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    // A tenth of the loading time is reading; names and lines stay, for those who look at a stack without source maps.
    minifyWhitespace: true,
    lineLimit: 120,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'error',
  });
  for (const file of readdirSync(dist, { recursive: true })) if (/\.js(\.map)?$/.test(file)) rmSync(join(dist, file));
  cpSync(outdir, dist, { recursive: true });
  rmSync(outdir, { recursive: true });
  await bundleDeclarations(dist, publicExports(stage), publicNames);
}

/** The files of the public exports; the siblings' own, `internal`, loses its types. */
function publicExports(folder) {
  const file = join(folder, 'package.json');
  const described = JSON.parse(readFileSync(file, 'utf8'));
  for (const [name, files] of Object.entries(described.exports)) if (name.startsWith('./internal')) delete files.types;
  writeFileSync(file, `${JSON.stringify(described, null, 2)}\n`);
  const typed = Object.values(described.exports).filter(({ types }) => types !== undefined);
  return typed.map(({ types }) => /^\.\/dist\/(.*)\.d\.ts$/.exec(types)[1]);
}

/** What the index of `@threadbus/…` exports. */
function publicNames(sibling) {
  return namesIn(join(root, 'packages', sibling.replace('@threadbus/', ''), 'dist', 'index.d.ts'));
}

/** What a file of declarations exports, by itself or all of what others do. */
function namesIn(file) {
  const text = readFileSync(file, 'utf8');
  const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) => list.split(','));
  const listed = lists.map((name) => name.replace(/^\s*type\s|^.*\sas\s/, '').trim());
  const declared = [
    ...text.matchAll(/^export (?:declare )?(?:abstract )?(?:class|function|interface|type|const|let) (\w+)/gm),
  ];
  const others = [...text.matchAll(/^export \* from ['"](\.[^'"]*)\.[jt]s['"]/gm)];
  return new Set([
    ...listed,
    ...declared.map(([, name]) => name),
    ...others.flatMap(([, path]) => [...namesIn(join(dirname(file), `${path}.d.ts`))]),
  ]);
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).version;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // npm runs scripts in the project's folder; the path is meant from where it was called.
  const folder = resolve(process.env.INIT_CWD ?? '.', process.argv[2] ?? '.');
  if (existsSync(folder) && statSync(folder).isDirectory()) {
    for (const tarball of await pack(folder)) console.log(join(folder, tarball));
  } else {
    console.error(`Expected a folder for the packages, got \`${folder}\`. Usage: npm run pack -- ../my-app`);
    process.exitCode = 2;
  }
}
