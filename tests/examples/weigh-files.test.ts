import { symlink } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { countFiles, everyNth, sourceFiles } from '../../examples/dist/weigh/source-files.js';
import { makeFolder } from '../helpers/folder.ts';

/** `path → name@version in folder` of each file, relative to the folder. */
async function listed(folder: string, below = folder): Promise<string[]> {
  const lines: string[] = [];
  for await (const { path, package: owner } of sourceFiles([below])) {
    lines.push(`${relative(folder, path)} → ${owner.name}@${owner.version} in ${relative(folder, owner.path)}`);
  }
  return lines;
}

test('files - packages in node_modules: plain, scoped, nested, with package.json files further down', async () => {
  const folder = await makeFolder({
    'node_modules/plain/package.json': '{"name":"plain","version":"1.0.0"}',
    'node_modules/plain/index.js': '',
    'node_modules/plain/esm/package.json': '{"name":"not-a-package","type":"module"}',
    'node_modules/plain/esm/deep/index.mjs': '',
    'node_modules/plain/node_modules/inner/index.cjs': '',
    'node_modules/plain/node_modules/@scope/inner/package.json': '{"version":"0.1.0"}',
    'node_modules/plain/node_modules/@scope/inner/lib/a.js': '',
    'node_modules/@scope/one/package.json': '{"name":"@scope/one","version":"2.0.0"}',
    'node_modules/@scope/one/a.js': '',
    'node_modules/@scope/two/a.js': '',
  });
  expect(await listed(folder)).toEqual([
    'node_modules/@scope/one/a.js → @scope/one@2.0.0 in node_modules/@scope/one',
    'node_modules/@scope/two/a.js → @scope/two@null in node_modules/@scope/two',
    'node_modules/plain/esm/deep/index.mjs → plain@1.0.0 in node_modules/plain',
    'node_modules/plain/index.js → plain@1.0.0 in node_modules/plain',
    'node_modules/plain/node_modules/@scope/inner/lib/a.js → @scope/inner@0.1.0 in node_modules/plain/node_modules/@scope/inner',
    'node_modules/plain/node_modules/inner/index.cjs → inner@null in node_modules/plain/node_modules/inner',
  ]);
  expect(await listed(folder, join(folder, 'node_modules', 'plain', 'esm'))).toEqual([
    'node_modules/plain/esm/deep/index.mjs → plain@1.0.0 in node_modules/plain',
  ]);
});

test('files - elsewhere the nearest package.json with a name counts', async () => {
  const folder = await makeFolder({
    'package.json': '{"name":"root","version":"1.0.0"}',
    'a.js': '',
    'packages/one/package.json': '{"name":"one"}',
    'packages/one/src/a.js': '',
    'packages/two/package.json': 'not JSON',
    'packages/two/a.js': '',
    'packages/three/package.json': '{"name":3,"version":"3.0.0"}',
    'packages/three/a.js': '',
  });
  expect(await listed(folder)).toEqual([
    'a.js → root@1.0.0 in ',
    'packages/one/src/a.js → one@null in packages/one',
    'packages/three/a.js → root@1.0.0 in ',
    'packages/two/a.js → root@1.0.0 in ',
  ]);
});

test('files - other files, links and the cache in node_modules are left out, hidden folders are not', async () => {
  const folder = await makeFolder({
    'package.json': '{"name":"root"}',
    'a.js': '12345',
    'a.ts': '',
    'a.jsx': '',
    'a.js.map': '',
    js: '',
    '.hidden/b.cjs': '123',
    'lib/c.mjs': '',
    'node_modules/.cache/tool/d.js': '',
    'cache/.cache/e.js': '',
  });
  await symlink(join(folder, 'lib'), join(folder, 'linked'));
  await symlink(join(folder, 'a.js'), join(folder, 'linked.js'));
  await symlink(folder, join(folder, 'lib', 'loop'));
  const names = [];
  for await (const { path } of sourceFiles([folder])) names.push(basename(path));
  expect(names).toEqual(['b.cjs', 'a.js', 'e.js', 'c.mjs']);
  expect(await countFiles([folder], new AbortController().signal, () => {})).toEqual({ files: 4, bytes: 8 });
});

test('files - a folder that can not be read is reported, and counting can be stopped', async () => {
  const folder = await makeFolder({ 'a.js': '' });
  const unreadable: string[] = [];
  const signal = new AbortController().signal;
  const missing = join(folder, 'missing');
  await countFiles([missing], signal, ({ code, path }) => unreadable.push(`${code} ${path}`));
  expect(unreadable).toEqual([`ENOENT ${missing}`]);
  await expect(countFiles([folder], AbortSignal.abort(new Error('enough')), () => {})).rejects.toThrow('enough');
});

test('files - one of three, spread over all, and how many bytes these are', async () => {
  const folder = await makeFolder({ 'a.js': '1', 'b.js': '22', 'c.js': '333', 'd.js': '4444', 'e.js': '55555' });
  const given = { bytes: 0 };
  const names: string[] = [];
  for await (const { path } of everyNth(3, sourceFiles([folder]), given)) names.push(basename(path));
  expect([names, given]).toEqual([['a.js', 'd.js'], { bytes: 5 }]);
});
