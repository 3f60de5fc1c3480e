import { existsSync, readFileSync } from 'node:fs';
import { pageFiles, pageScripts } from '../entries.ts';

/** One file of the page. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  js: 'text/javascript; charset=utf-8',
};

/** By the path under which it is asked for. Whatever isn't listed doesn't exist: no path ever names a file. */
const files: ReadonlyMap<string, string> = new Map([
  ['/', 'index.html'],
  ['/app.css', 'app.css'],
  ['/icon.svg', 'icon.svg'],
  ...['app', 'details', 'dom', 'filter', 'lanes', 'list', 'overview', 'share', 'spark', 'store', 'stream'].map(
    (name): [string, string] => [`/${name}.js`, `${name}.js`],
  ),
]);

const read = new Map<string, Asset>();

export function assetOf(path: string): Asset | null {
  const name = files.get(path);
  if (name === undefined) return null;
  const known = read.get(name);
  if (known !== undefined) return known;
  const url = new URL(name, name.endsWith('.js') ? pageScripts : pageFiles);
  // Packed, the page's modules are one.
  if (!existsSync(url)) return null;
  const type = types[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
  const asset = { type, body: readFileSync(url) };
  read.set(name, asset);
  return asset;
}
