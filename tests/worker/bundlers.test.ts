import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { tempFolder } from '../helpers/temp-folder.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const program = `
import { BaseEvent, EventBus } from '@threadbus/core';
import { HandlerPool, WorkerBus } from '@threadbus/worker';

const event = () => new BaseEvent({ n: 21 }, { event_type: 'Double' });
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const say = (error) => error.name + ': ' + error.message;
const here = typeof __filename === 'string' ? 'file://' + __filename : import.meta.url;
const run = async () => {
  const worker = await WorkerBus.start(new URL('./bus.mjs', here)).catch((error) => console.log(say(error)));
  if (worker) console.log(await worker.dispatch(event()).eventResult());
  await worker?.stop();
  const bus = new EventBus({ name: 'Main', logger: quiet });
  const pool = new HandlerPool({ maxThreads: 1 });
  bus.on('Double', pool.handler(new URL('./task.mjs', here)));
  console.log(await bus.dispatch(event()).eventResult().catch(say));
  await bus.stop();
  await pool.stop();
};
void run();
`;
const bus = `
import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';
const bus = new EventBus({ name: 'Bundled' });
bus.on('Double', (event) => event.n * 2);
exposeBus(bus);
`;
/** A class alone, whose zod is nowhere named by the packages' own code. */
const described = `
import { BaseEvent } from '@threadbus/core';
import { z } from 'zod/mini';
const Made = BaseEvent.extend('Made', { n: z.number() });
try { new Made({ n: 'none' }); } catch (error) { console.log(error.name); }
console.log(new Made({ n: 3 }).n);
`;
const task = 'export default (event) => event.n * 2;';

/** A folder with the sources, from where the packages are found. */
function sources(): string {
  const folder = mkdtempSync(join(root, 'node_modules', '.cache-bundle-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const files = { 'main.mjs': program, 'bus.mjs': bus, 'task.mjs': task, 'class.mjs': described };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

async function esbuild(options: BuildOptions): Promise<string> {
  const folder = sources();
  const outdir = join(folder, 'out');
  await build({
    absWorkingDir: folder,
    entryPoints: ['main.mjs', 'bus.mjs', 'task.mjs', 'class.mjs'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    outdir,
    logLevel: 'silent',
    ...options,
  });
  return outdir;
}

function vite(config: object): string {
  const folder = sources();
  const input = ['main', 'bus', 'task', 'class'].map((name) => join(folder, `${name}.mjs`));
  const rollupOptions = { input, output: { entryFileNames: '[name].mjs' } };
  const whole = { root: folder, logLevel: 'silent', build: { ssr: true, outDir: 'out', rollupOptions }, ...config };
  const file = join(folder, 'vite.config.mjs');
  writeFileSync(file, `export default ${JSON.stringify(whole)}`);
  const cli = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  execFileSync(process.execPath, [cli, 'build', '--config', file], { cwd: folder, stdio: 'pipe' });
  return join(folder, 'out');
}

function output(folder: string, main = 'main.mjs'): readonly string[] {
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, main)], { encoding: 'utf8', timeout: 30_000 });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

const missing = [
  /^WorkerStartError: @threadbus\/worker can't find its file thread\/worker-entry\.js.*--packages=external/,
  /^WorkerStartError: .*@threadbus\/worker can't find its file pool-task\.cjs.*--packages=external/,
];

const slow = { timeout: 60_000 };

test('bundlers - esbuild with packages left out runs buses and pools in threads', slow, async () => {
  expect(output(await esbuild({ packages: 'external' }))).toEqual(['42', '42']);
});

test('bundlers - all in one bundle of esbuild, the missing file and the option are named', slow, async () => {
  const lines = output(await esbuild({}));
  for (const [i, text] of missing.entries()) expect(lines[i]).toMatch(text);
});

test('bundlers - the same in a CommonJS bundle', slow, async () => {
  const folder = await esbuild({ format: 'cjs', outExtension: { '.js': '.cjs' } });
  const lines = output(folder, 'main.cjs');
  for (const [i, text] of missing.entries()) expect(lines[i]).toMatch(text);
});

test('bundlers - vite with the packages left out runs buses and pools in threads', slow, () => {
  expect(output(vite({ ssr: { external: ['@threadbus/core', '@threadbus/worker'] } }))).toEqual(['42', '42']);
});

test('bundlers - all in one bundle of vite, the missing file and the option are named', slow, () => {
  const lines = output(vite({ ssr: { noExternal: true } }));
  for (const [i, text] of missing.entries()) expect(lines[i]).toMatch(text);
});

test.each(['esbuild', 'vite'])('bundlers - %s brings zod along for the classes of a bundle', slow, async (bundler) => {
  const whole = bundler === 'vite' ? vite({ ssr: { noExternal: true } }) : await esbuild({});
  // Where no package is found.
  const away = tempFolder();
  cpSync(whole, away, { recursive: true });
  const { stdout, stderr } = spawnSync(process.execPath, [join(away, 'class.mjs')], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toBe('EventValidationError\n3\n');
});
