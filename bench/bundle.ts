import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { type Row, rounded, type Scenario } from './scenario.ts';

const entries = {
  '@threadbus/core': import.meta.resolve('@threadbus/core'),
  '@threadbus/worker': import.meta.resolve('@threadbus/worker'),
  '@threadbus/semaphore': import.meta.resolve('@threadbus/semaphore'),
  abxbus: import.meta.resolve('abxbus'),
  emittery: import.meta.resolve('emittery'),
};

/** How large each package's own code is, minified and compressed; what it depends on isn't counted. */
export const bundle: Scenario = {
  name: 'bundle',
  async run() {
    const rows: Row[] = [];
    for (const [name, url] of Object.entries(entries)) {
      const { outputFiles } = await build({
        entryPoints: [fileURLToPath(url)],
        bundle: true,
        minify: true,
        format: 'esm',
        platform: 'node',
        target: 'node20',
        packages: 'external',
        write: false,
      });
      const code = outputFiles[0]?.contents ?? new Uint8Array();
      rows.push({ load: name, 'min, kB': kilo(code.length), 'min + gzip, kB': kilo(gzipSync(code).length) });
    }
    return rows;
  },
};

const kilo = (bytes: number): number => rounded(bytes / 1000, 1);
