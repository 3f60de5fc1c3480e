import { busEngine, defaultLogger } from '@threadbus/core/internal';
import type { HostPlan } from './bus-host.ts';

/** The lines that the buses of a thread have for their logs and have not written: seen from outside, whatever ends it. */
export class LostLines {
  readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);

  /** The thread is gone: what it had not written is gone with it, and its parent's logger is told. */
  tell({ entry, name, options }: Pick<HostPlan, 'entry' | 'name' | 'options'>): void {
    const lines = Atomics.load(new Int32Array(this.buffer), 0);
    if (lines <= 0) return;
    const logger = options.parent === null ? defaultLogger() : busEngine(options.parent).options.logger;
    logger.error(
      `The thread of ${name ?? entry.href} has ended with ${lines} lines that it had not written to its log: what became of those events is not there.`,
    );
  }
}
