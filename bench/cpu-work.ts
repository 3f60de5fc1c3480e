// The task of all pools: what it does is named by its argument, or by the event that it gets.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Kind = 'arithmetic' | 'hashing' | 'terser' | 'nothing';

let source: string | undefined;

/** Each some milliseconds to some ten, but the last, which shows what a call costs; the same answer every time. */
const work: Readonly<Record<Kind, () => number | Promise<number>>> = {
  arithmetic() {
    let sum = 0;
    for (let n = 0; n < 4_000_000; n += 1) sum = (sum * 31 + n) | 0;
    return sum;
  },
  hashing() {
    let bytes = Buffer.alloc(65_536, 'threadbus');
    for (let n = 0; n < 100; n += 1)
      bytes = Buffer.concat([createHash('sha256').update(bytes).digest(), bytes.subarray(32)]);
    return bytes.readUInt32LE(0);
  },
  async terser() {
    // Not for those who only hash: a thread has the modules of its work, and V8 collects otherwise where they are large.
    const { minify } = await import('terser');
    source ??=
      readFileSync(fileURLToPath(import.meta.resolve('eventemitter3')), 'utf8') +
      readFileSync(fileURLToPath(import.meta.resolve('emittery')), 'utf8');
    const { code } = await minify(source, { module: true });
    return code?.length ?? 0;
  },
  nothing: () => 1,
};

export default async function run({ kind }: { readonly kind: Kind }): Promise<number> {
  return work[kind]();
}
