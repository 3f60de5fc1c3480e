import { loggerOf } from '@threadbus/core/internal';
import type { HostPlan } from './bus-host.ts';

/** A thread, or process, is gone with lines that its buses had for their logs: its parent's logger is told. */
export function tellLostLines(
  lines: number,
  { entry, name, options }: Pick<HostPlan, 'entry' | 'name' | 'options'>,
): void {
  if (lines <= 0) return;
  const logger = loggerOf(options.parent);
  logger.error(
    `The ${options.isolation} of ${name ?? entry.href} has ended with ${lines} lines that it had not written to its log: what became of those events is not there.`,
  );
}
