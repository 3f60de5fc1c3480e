import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The compiled program of `tests/fixtures/<name>.ts`, for `new Worker(url)`, `fork` or a task module.
 *
 * @param name path below `tests/fixtures`, without an extension
 * @throws {Error} if there is no such fixture
 */
export function fixtureUrl(name: string): URL {
  const url = new URL(`../fixtures-dist/${name}.js`, import.meta.url);
  if (!existsSync(url)) {
    throw new Error(
      `Expected the fixture "${name}" at ${fileURLToPath(url)}, found nothing: ` +
        `write tests/fixtures/${name}.ts, then run \`npm run build\`.`,
    );
  }
  return url;
}
