import { transform } from 'esbuild';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

type Plugin = NonNullable<ViteUserConfig['plugins']>[number];

/** Lowers decorators and `using` in test files: Vite leaves both in, and Node 20 can parse neither. */
const lowerSyntax: Plugin = {
  name: 'lower-syntax',
  enforce: 'pre',
  async transform(code: string, id: string) {
    const file = id.split('?', 1)[0] ?? id;
    if (!file.endsWith('.ts')) return null;
    const lowered = await transform(code, {
      loader: 'ts',
      target: 'es2022',
      sourcefile: file,
      sourcemap: true,
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } },
    });
    return { code: lowered.code, map: lowered.map };
  },
};

export default defineConfig({
  plugins: [lowerSyntax],
  test: {
    include: ['tests/**/*.test.ts'],
    typecheck: { include: ['tests/types/**/*.test-d.ts'], tsconfig: 'tests/tsconfig.json' },
    globalSetup: ['scripts/build.mjs'],
    // Tests that are about warnings pass a logger of their own.
    env: { THREADBUS_LOG_LEVEL: 'silent' },
    reporters: ['default', './tests/tally-reporter.ts'],
    // On two cores: most tests wait for threads, processes and clocks much of their time.
    maxWorkers: 3,
    // Real threads, processes and kill signals on machines that others use too: there, a test may be starved once.
    retry: process.env['CI'] === undefined ? 0 : 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    coverage: {
      provider: 'v8',
      include: ['packages/*/dist/**/*.js'],
      reporter: ['text', 'html'],
    },
  },
});
