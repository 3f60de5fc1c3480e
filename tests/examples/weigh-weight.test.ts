import { brotliCompressSync, gzipSync } from 'node:zlib';
import { minify } from 'terser';
import { expect, test } from 'vitest';
import { UnparsableError, weigh } from '../../examples/dist/weigh/weight.js';

test('weight - the sizes are those of terser and zlib, in bytes', async () => {
  const source = 'export function greet(name) {\n  // a comment\n  return `héllo ${name}`;\n}\n';
  const { code = '' } = await minify(source);
  expect(code.length).toBeLessThan(source.length);
  expect(await weigh(Buffer.from(source))).toEqual({
    raw: Buffer.byteLength(source),
    minified: Buffer.byteLength(code),
    gzip: gzipSync(code).length,
    brotli: brotliCompressSync(code).length,
  });
});

test('weight - an empty file has only what the formats add', async () => {
  expect(await weigh(Buffer.alloc(0))).toEqual({ raw: 0, minified: 0, gzip: 20, brotli: 1 });
});

test('weight - what only a module may hold is minified as a module', async () => {
  const source = 'const value = await Promise.resolve(1); export default value;';
  await expect(minify(source)).rejects.toThrow('Unexpected token');
  const { code = '' } = await minify(source, { module: true });
  expect(await weigh(Buffer.from(source))).toMatchObject({ minified: code.length });
});

test('weight - what is no JavaScript is refused with line and column', async () => {
  const error = await weigh(Buffer.from('const a = 1;\nconst = 2;\n')).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnparsableError);
  expect(error).toHaveProperty('message', expect.stringMatching(/^Name expected \(line 2, column \d+\)$/));
});
