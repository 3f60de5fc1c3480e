import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Set once tsx reads TypeScript in this thread, too. */
let registered: Promise<void> | null = null;

/**
 * Imports a user's module as the starting thread would.
 *
 * Node 20 gives a thread the options of its process, and with them tsx, but tsx reads TypeScript there only when it is
 * told to in each thread. Newer versions of Node share what reads modules.
 */
export async function importModule(url: string): Promise<unknown> {
  const loader = tsxLoader(process.execArgv);
  if (loader !== null && Number.parseInt(process.versions.node) < 22) await (registered ??= register(loader, url));
  return import(url);
}

/** What the Node options name as tsx: its name, or the file that `npx tsx` starts Node with; null if they don't. */
function tsxLoader(execArgv: readonly string[]): string | null {
  for (const [i, option] of execArgv.entries()) {
    const [name = '', value] = option.split('=', 2);
    const loader = value ?? execArgv[i + 1] ?? '';
    if (/^--(?:import|loader|experimental-loader)$/.test(name) && /(?:^|\/)tsx(?:$|\/)/.test(loader)) return loader;
  }
  return null;
}

async function register(loader: string, url: string): Promise<void> {
  // The file lies in the package itself, its name is looked up from where the module is.
  const from = loader.startsWith('file:') ? loader : url;
  // It is found by way of its twin for require(), which would look for its own parts in the wrong place.
  const twin = pathToFileURL(createRequire(from).resolve('tsx/esm/api'));
  const tsx = (await import(new URL('./index.mjs', twin).href)) as { readonly register: () => unknown };
  tsx.register();
}
