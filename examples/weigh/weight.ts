import { brotliCompressSync, gzipSync } from 'node:zlib';
import { minify } from 'terser';
import type { Weight } from './events.ts';

/** The source is no JavaScript that terser knows; the message has the line and the column. */
export class UnparsableError extends Error {
  override readonly name = 'UnparsableError';
}

/**
 * What a source file weighs in a bundle: as it is, minified, and the minified code compressed.
 *
 * Everything is at the defaults of terser and zlib, which are gzip level 6 and brotli quality 11: what a server sends
 * that compresses while it answers, and what it sends of files that were compressed beforehand.
 *
 * @throws UnparsableError
 */
export async function weigh(source: Buffer): Promise<Weight> {
  const code = await minified(source.toString('utf8'));
  return {
    raw: source.length,
    minified: Buffer.byteLength(code),
    gzip: gzipSync(code).length,
    brotli: brotliCompressSync(code).length,
  };
}

async function minified(source: string): Promise<string> {
  try {
    return (await minify(source)).code ?? '';
  } catch (cause) {
    // An `await` outside functions is no error in a module; what is wrong otherwise, the first error says best.
    const asModule = await minify(source, { module: true }).catch(() => null);
    if (asModule !== null) return asModule.code ?? '';
    const { message, line, col } = cause as Error & { line?: number; col?: number };
    const place = line === undefined || col === undefined ? '' : ` (line ${line}, column ${col})`;
    throw new UnparsableError(`${message}${place}`, { cause });
  }
}
