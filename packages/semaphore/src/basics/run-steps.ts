import { closeSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { parseMark } from './marks.ts';
import type { Step, StepResult, Steps } from './slot-steps.ts';

/** Where the flags of a slot are. */
export interface FlagPlace {
  readonly folder: string;
  /** What the names of the slot's flags begin with. */
  readonly prefix: string;
}

/**
 * Carries out the steps on real files, in one go.
 *
 * Synchronously: a slot takes a handful of calls of some 10 µs each, less than a trip to the thread pool, which
 * crypto or zlib work of the application can hold up for long; and nobody in this thread sees a half-made slot.
 */
export function runSteps<Result>(
  place: FlagPlace,
  steps: Steps<Result>,
  isDead: (flag: string) => boolean = () => false,
): Result {
  let next = steps.next();
  while (next.done !== true) next = steps.next(carryOut(place, next.value, isDead));
  return next.value;
}

function carryOut({ folder, prefix }: FlagPlace, step: Step, isDead: (flag: string) => boolean): StepResult {
  try {
    switch (step.call) {
      case 'create':
        closeSync(openSync(join(folder, step.flag), 'wx', 0o600));
        return {};
      case 'list':
        return {
          flags: readdirSync(folder).filter((flag) => flag.startsWith(prefix) && parseMark(flag) !== undefined),
        };
      case 'unlink':
        unlinkSync(join(folder, step.flag));
        return {};
      case 'isDead':
        return { dead: isDead(step.flag) };
      default:
        return step satisfies never;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return { code };
  }
}
