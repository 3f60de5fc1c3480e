import { type AnyHandler, describe, isReadableError } from '@threadbus/core/internal';
import { importModule } from '../thread/import-module.ts';
import { loadHint } from '../thread/start-failure.ts';

/** How results call the handler of a module. */
export function moduleName({ protocol, pathname }: URL): string {
  // What is behind the last slash of a data: URL is code.
  return protocol === 'data:' ? 'pool handler' : (pathname.split('/').pop() ?? 'pool handler');
}

/**
 * Imports a module and takes the handler out of it: its default export, or that of a CommonJS module.
 *
 * @throws what Node says of a module that it can't load, with a hint; TypeError if there is no handler in it
 */
export async function loadHandler(entry: string): Promise<{ readonly name: string; readonly handler: AnyHandler }> {
  const { default: found } = await load(entry);
  const handler = isFunction(found) ? found : defaultOf(found);
  if (!isFunction(handler)) {
    throw new TypeError(
      `Expected the default export of ${entry} to be the handler, export default async (event) => { … }; got ${describe(found)}.`,
    );
  }
  return { name: moduleName(new URL(entry)), handler };
}

async function load(entry: string): Promise<{ default?: unknown }> {
  try {
    return (await importModule(entry)) as { default?: unknown };
  } catch (error) {
    const hint = isReadableError(error) ? loadHint(error.message, entry) : '';
    if (hint === '') throw named(error, entry);
    const { message, code } = error as NodeJS.ErrnoException;
    throw Object.assign(new Error(`${message}.${hint}`, { cause: error }), { code });
  }
}

/**
 * What Node has against the text of a module names no file, in its stack neither: the message begins with it here. What a
 * module has thrown stays as it is. Another import of the module gives the same error, with its file in the stack.
 */
function named(error: unknown, entry: string): unknown {
  if (!isReadableError(error) || !(error instanceof SyntaxError) || error.stack?.includes(entry) === true) return error;
  const { message, stack } = error;
  const text = `${entry} could not be loaded: ${message} (in it, or in a file that it imports: node --check FILE shows the line)`;
  Reflect.set(error, 'message', text);
  Reflect.set(
    error,
    'stack',
    stack?.replace(message, () => text),
  );
  return error;
}

/** Compiled to CommonJS, `export default` becomes `exports.default`, and an import's default is all of `exports`. */
function defaultOf(exports: unknown): unknown {
  if (typeof exports !== 'object' || exports === null || !('default' in exports)) return undefined;
  return exports.default;
}

function isFunction(value: unknown): value is AnyHandler {
  return typeof value === 'function';
}
