import type { ResourceLimits } from 'node:worker_threads';
import { inputType } from '../thread/node-options.ts';

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

/** The Node options of this process; what it was given to run in place of a file, and of which kind that is, is none. */
export function inheritedFlags(): string[] {
  const { execArgv, _eval: code } = process as NodeJS.Process & { readonly _eval?: string };
  const at = code === undefined ? -1 : execArgv.lastIndexOf(code);
  return execArgv.filter((option, i) => {
    if (at >= 1 && (i === at || i === at - 1)) return false;
    return !option.startsWith(inputType) && execArgv[i - 1] !== inputType;
  });
}
