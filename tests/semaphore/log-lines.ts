import type { RetryLogger } from '@threadbus/semaphore';

/** A logger that keeps its lines. */
export class LogLines implements RetryLogger {
  readonly warnings: string[] = [];
  readonly errors: string[] = [];

  warn(message: string): void {
    this.warnings.push(message);
  }

  error(message: string): void {
    this.errors.push(message);
  }
}
