import type { ResourceLimits } from 'node:worker_threads';

/**
 * The limits of a thread, as Node options of a process.
 *
 * A young generation is three semi-spaces. There is no option for the size of generated code (`codeRangeSizeMb`).
 */
export function limitFlags(limits: ResourceLimits | undefined): string[] {
  if (limits === undefined) return [];
  const { maxOldGenerationSizeMb: old, maxYoungGenerationSizeMb: young, stackSizeMb: stack } = limits;
  const flags: string[] = [];
  if (old !== undefined) flags.push(`--max-old-space-size=${Math.max(1, Math.round(old))}`);
  if (young !== undefined) flags.push(`--max-semi-space-size=${Math.max(1, Math.round(young / 3))}`);
  if (stack !== undefined) flags.push(`--stack-size=${Math.max(1, Math.round(stack * 1024))}`);
  return flags;
}
