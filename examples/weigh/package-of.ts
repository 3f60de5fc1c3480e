import { readFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { Package } from './events.ts';

/**
 * Tells which package a folder belongs to.
 *
 * Below a node_modules it is what npm put there, `name` or `@scope/name`, whatever package.json files the package has
 * further down. Elsewhere it is the nearest folder upwards whose package.json has a name. Each folder is looked at once.
 */
export class PackageFinder {
  readonly #known = new Map<string, Promise<Package>>();

  packageOf(folder: string): Promise<Package> {
    let found = this.#known.get(folder);
    if (found === undefined) this.#known.set(folder, (found = this.#find(folder)));
    return found;
  }

  async #find(folder: string): Promise<Package> {
    const installed = installedName(folder);
    if (installed === null) {
      const { name, version } = await readManifest(folder);
      const parent = dirname(folder);
      if (name !== null) return { name, version, path: folder };
      return parent === folder ? { name: '(no package)', version: null, path: folder } : this.packageOf(parent);
    }
    if (installed.rest) return this.packageOf(dirname(folder));
    const { version } = await readManifest(folder);
    return { name: installed.name, version, path: folder };
  }
}

/**
 * The package that a path below the last node_modules belongs to; null if there is no node_modules in it.
 *
 * `rest`: the path goes on below the package's own folder.
 */
export function installedName(path: string): { name: string; rest: boolean } | null {
  const steps = path.split(sep);
  const last = steps.lastIndexOf('node_modules');
  if (last === -1) return null;
  const [first = '', second, ...others] = steps.slice(last + 1);
  // Files right in node_modules, or in a scope's folder, are no one's.
  if (first === '') return { name: 'node_modules', rest: false };
  if (!first.startsWith('@')) return { name: first, rest: second !== undefined };
  return second === undefined ? { name: first, rest: false } : { name: `${first}/${second}`, rest: others.length > 0 };
}

async function readManifest(folder: string): Promise<{ name: string | null; version: string | null }> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const { name, version } = (manifest ?? {}) as { name?: unknown; version?: unknown };
    return { name: textOf(name), version: textOf(version) };
  } catch {
    return { name: null, version: null }; // None, or none that can be read: the folder is no package of its own.
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
