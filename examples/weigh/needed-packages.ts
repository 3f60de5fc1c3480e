import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/**
 * The folders of the third-party packages that some of a project's own need when they run, directly or through others.
 *
 * Found as Node does: from the folder of the package that needs it upwards.
 *
 * @param own folders of the project's packages
 */
export function neededPackages(own: readonly string[]): string[] {
  const needed = new Set<string>();
  for (const folder of own) addNeeded(folder, needed);
  // Workspaces are links in node_modules: what they lead to is the project's own.
  return [...needed].filter((folder) => !own.includes(folder)).sort();
}

function addNeeded(folder: string, needed: Set<string>): void {
  for (const name of dependenciesOf(folder)) {
    const found = installedFolder(name, folder);
    if (found === null || needed.has(found)) continue;
    needed.add(found);
    addNeeded(found, needed);
  }
}

function dependenciesOf(folder: string): string[] {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return [];
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  const peers = Object.keys(peerDependencies ?? {}).filter((name) => peerDependenciesMeta?.[name]?.optional !== true);
  return [...Object.keys(dependencies ?? {}), ...peers].filter((name) => !name.startsWith('@threadbus/'));
}

function installedFolder(name: string, from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) return null;
  }
}
