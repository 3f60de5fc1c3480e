// Puts the declarations of a package into one file for each export, and what several of them share into one more.
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

/** Replaces all declarations in the folder by those that somebody who imports one of the names can see. */
export async function bundleDeclarations(folder, names) {
  const bundle = await rollup({
    input: Object.fromEntries(names.map((name) => [name, join(folder, `${name}.d.ts`)])),
    external: (id) => /^(?:node:|@|zod)/.test(id),
    plugins: [dts({ sourcemap: true, compilerOptions: { skipLibCheck: true } })],
    onwarn: (warning) => {
      // As before: what isn't exported can't be named outside, whatever file it stands in.
      if (warning.code === 'EMPTY_BUNDLE' || warning.message.includes('TS2742')) return;
      throw new Error(`The declarations in ${folder} could not be put together: ${warning.message}`);
    },
  });
  // Beside the folder: the maps to the sources are read where they are while the new ones are made.
  const beside = `${folder}-declarations`;
  await bundle.write({ dir: beside, chunkFileNames: 'shared.d.ts', sourcemap: true, sourcemapExcludeSources: true });
  await bundle.close();
  for (const file of readdirSync(folder, { recursive: true })) {
    if (/\.d\.ts(?:\.map)?$/.test(file)) rmSync(join(folder, file));
  }
  cpSync(beside, folder, { recursive: true });
  rmSync(beside, { recursive: true });
}
