// Packs the packages, checks what they export, installs the tarballs into an empty project with the commands that the
// README prints, and uses them as a consumer would: the README's programs, CommonJS, and TypeScript (nodenext and bundler,
// without skipLibCheck), on this Node.js or those asked for: `npm run check:install -- 20 22 24 26`. And the starter.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkExports } from './check-exports.mjs';
import { fetchNode } from './nodes.mjs';
import { pack, packageNames } from './pack.mjs';
import { readmeCommands, readmePrograms } from './readme-programs.mjs';
import { tryStarter } from './starter-test.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const readme = join(root, 'README.md');
const typed = join(root, 'docs', 'guide', 'typescript.md');
const majors = process.argv.slice(2);
const execute = promisify(execFile);
/** TypeScript as the project has it, and the one before, which many consumers still have. */
const compilers = [
  ['7', join(root, 'node_modules', 'typescript', 'bin', 'tsc')],
  ['5', join(root, 'docs', 'node_modules', 'typescript', 'bin', 'tsc')],
];
const folder = mkdtempSync(join(tmpdir(), 'threadbus-install-'));
const consumer = join(folder, 'my-app');

try {
  const tarballs = await packed();
  const paths = tarballs.map((file) => join(consumer, file));
  const found = nodes();
  // Side by side: each waits for installations and threads much of its time.
  const done = [consume(tarballs, found), starter(paths, found), exportsOf(paths)];
  const [failed] = (await Promise.allSettled(done)).filter(({ status }) => status === 'rejected');
  if (failed !== undefined) throw failed.reason;
} catch (error) {
  console.error(`install-test: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function consume(tarballs, found) {
  await install(tarballs);
  checkDeclarations();
  const programs = await writePrograms();
  for (const [version, compiler] of compilers) {
    await compile(version, compiler);
    await compileAsTheGuideSays(version, compiler);
  }
  for (const node of await found) await useOn(node, programs);
}

async function starter(tarballs, found) {
  await tryStarter({ tarballs, folder, nodes: await found });
}

async function exportsOf(tarballs) {
  await checkExports(tarballs);
  console.log('install-test: exports (publint, are the types wrong) ok');
}

async function packed() {
  mkdirSync(consumer);
  const tarballs = await pack(consumer);
  console.log(`install-test: pack ok, ${tarballs.join(', ')}`);
  return tarballs;
}

/** The README's own commands, with the tarballs in place of the names that are not on the registry. */
async function install(tarballs) {
  const [lines = []] = await readmeCommands(readme, 'Install');
  const fresh = lines.flatMap((line) => line.split(' && '));
  const [make, enter, ...commands] = fresh;
  if (
    make !== 'mkdir my-app' ||
    enter !== 'cd my-app' ||
    !commands.at(-1)?.startsWith('npm install @threadbus/core ')
  ) {
    throw new Error(`Expected the README to begin with \`mkdir my-app\` and \`cd my-app\`, got: ${fresh.join('; ')}`);
  }
  const wanted = packageNames.map((name) => `@threadbus/${name}`);
  for (const command of commands) {
    const [npm, ...args] = command.split(' ');
    const real = args.filter((arg) => !wanted.includes(arg));
    const files = real.length < args.length ? tarballs.map((file) => `./${file}`) : [];
    const offline = files.length > 0 ? ['--prefer-offline'] : [];
    await run(command, npm, [...real, ...files, ...offline], process.platform === 'win32');
  }
  console.log(`install-test: ${commands.join(' && ')} ok`);
}

/**
 * A package ships the declarations of its exports, and in one file what several of them share: nothing of its inside.
 * They name no dependency's types but zod's, with which payloads are described, and no sibling's inside either.
 */
function checkDeclarations() {
  for (const name of packageNames) {
    const dist = join(consumer, 'node_modules', '@threadbus', name, 'dist');
    const files = readdirSync(dist, { recursive: true }).filter((file) => /\.d\.ts(?:\.map)?$/.test(file));
    const inside = files.filter((file) => !/^(?:index|register|shared)\.d\.ts(?:\.map)?$/.test(file));
    if (inside.length > 0) throw new Error(`@threadbus/${name} ships internal declarations: ${inside.join(', ')}`);
    const seen = new Set();
    const foreign = new Set();
    const queue = [join(dist, 'index.d.ts')];
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      // A text in double quotes may show an import.
      const declarations = readFileSync(file, 'utf8').replaceAll(/\/\*.*?\*\/|"[^"\n]*"/gs, '');
      for (const [, from] of declarations.matchAll(/(?:from |import\()'([^']+)'/g)) {
        if (from.startsWith('.')) queue.push(join(dirname(file), from.replace(/\.[jt]s$/, '.d.ts')));
        else if (!/^(?:node:|@threadbus\/\w+$)/.test(from)) foreign.add(from);
      }
    }
    const wrong = [...foreign].filter((from) => from !== 'zod');
    if (wrong.length > 0) throw new Error(`The types of @threadbus/${name} name those of ${wrong.join(', ')}`);
  }
  console.log('install-test: declarations of the exports alone, no types of dependencies but zod ok');
}

/** The README's three uses and its first TypeScript, each in a folder of its own; the consumer's files beside them. */
async function writePrograms() {
  cpSync(join(root, 'scripts', 'consumer'), consumer, { recursive: true });
  symlinkSync(join(root, 'node_modules', '@types'), join(consumer, 'node_modules', '@types'), 'junction');
  const programs = [...(await readmePrograms(readme)).slice(0, 3), ...(await readmePrograms(typed)).slice(0, 1)];
  return programs.map(({ title, language, files, output }, i) => {
    mkdirSync(join(consumer, `use-${i}`));
    for (const [name, code] of Object.entries(files)) writeFileSync(join(consumer, `use-${i}`, name), code);
    return { title, path: join(language === 'ts' ? 'compiled' : '', `use-${i}`, 'main.js'), output };
  });
}

async function compile(version, compiler) {
  const sources = ['types.ts', join('use-3', 'main.ts')];
  const nodenext = { module: 'nodenext', moduleResolution: 'nodenext', files: [...sources, 'types.cts'] };
  const bundler = { module: 'esnext', moduleResolution: 'bundler', files: sources };
  for (const { module, moduleResolution, files } of version === '7' ? [bundler, nodenext] : [nodenext]) {
    const target = { target: 'es2022', lib: ['es2022', 'esnext.disposable', 'esnext.decorators'], outDir: 'compiled' };
    const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, types: ['node'] };
    const compilerOptions = { module, moduleResolution, rootDir: '.', ...target, ...strict };
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    await run(`TypeScript ${version}, ${moduleResolution}`, process.execPath, [compiler, '-p', '.']);
    console.log(`install-test: types (TypeScript ${version}, ${moduleResolution}, skipLibCheck off) ok`);
  }
}

/** With the options that the guide says are enough. */
async function compileAsTheGuideSays(version, compiler) {
  const [, json] = /^```json\n(.*?)^```$/ms.exec(readFileSync(typed, 'utf8')) ?? [];
  const { compilerOptions } = JSON.parse(json);
  const files = [join('use-3', 'main.ts')];
  // Here the programs lie beside `src`.
  const options = { ...compilerOptions, rootDir: '.' };
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
  await run(`TypeScript ${version} with the guide's options`, process.execPath, [compiler, '-p', '.', '--noEmit']);
  console.log(`install-test: types (TypeScript ${version}, the guide's options) ok`);
}

async function nodes() {
  if (majors.length === 0) return [process.execPath];
  return Promise.all(
    majors.map(async (major) => {
      const node = await fetchNode(major);
      if (node === undefined) throw new Error(`Node.js ${major} could not be installed, see above.`);
      return node;
    }),
  );
}

async function useOn(node, programs) {
  const all = [
    ...programs,
    { title: 'CommonJS', path: 'programs.cjs', output: '[ 42, 42.5 ]\nlimited\n' },
    { title: 'TypeScript', path: join('compiled', 'types.js'), output: '3 completed false\n' },
    { title: 'TypeScript to CommonJS', path: join('compiled', 'types.cjs'), output: 'FromCommonJs\n' },
  ];
  // Side by side: most of their time they wait for threads and timers.
  await Promise.all(
    all.map(async ({ title, path, output }) => {
      const { stdout } = await execute(node, [path], { cwd: consumer, timeout: 120_000 });
      if (stdout !== output) throw new Error(`${title} on ${node}: expected it to print\n${output}got\n${stdout}`);
    }),
  );
  const { stdout } = await execute(node, ['--version']);
  console.log(`install-test: ${all.length} programs on node ${stdout.trim()} ok`);
}

async function run(what, command, args, shell = false) {
  try {
    await execute(command, args, { cwd: consumer, shell, timeout: 120_000 });
  } catch (error) {
    const said = `${error.stdout}${error.stderr}${error.message}`;
    throw new Error(`${what} FAILED (${command} ${args.join(' ')}):\n${said}`, { cause: error });
  }
}
