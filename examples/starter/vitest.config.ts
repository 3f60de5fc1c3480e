import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // Threads get Node's options from here: with tsx they can load the sources, as in `npm run dev`.
    execArgv: ['--import', 'tsx'],
  },
});
