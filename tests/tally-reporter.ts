import type { Reporter, TestModule } from 'vitest/node';

/** Prints `tests: 3 passed, 0 failed, 1 skipped` as the very last line, after every other report. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tally = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      let counted = 0;
      for (const test of module.children.allTests()) {
        counted += 1;
        const { state } = test.result();
        tally[state === 'pending' ? 'failed' : state] += 1;
      }
      // A file that could not be loaded has no tests to fail.
      if (counted === 0 && module.state() === 'failed') tally.failed += 1;
    }
    tally.failed += unhandledErrors.length;
    process.once('exit', (code) => {
      // A failed build, no test files or a missed threshold fail the run without a test to blame.
      if (code !== 0 && tally.failed === 0) tally.failed = 1;
      console.log(`tests: ${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
    });
  }
}
