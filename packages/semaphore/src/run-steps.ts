import { closeSync, mkdirSync, openSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Step, StepResult, Steps } from './pinned-directory.ts';

/**
 * Carries out the steps on a real directory, in one go.
 *
 * Synchronously: a slot takes a handful of calls of some 10 µs each, less than a trip to the thread pool, which
 * crypto or zlib work of the application can hold up for long; and a signal handler never sees a half-made slot.
 */
export function runSteps<Result>(
  directory: string,
  steps: Steps<Result>,
  isDead: (flag: string) => boolean = () => false,
): Result {
  let next = steps.next();
  while (next.done !== true) next = steps.next(carryOut(directory, next.value, isDead));
  return next.value;
}

function carryOut(directory: string, step: Step, isDead: (flag: string) => boolean): StepResult {
  try {
    switch (step.call) {
      case 'mkdir':
        mkdirSync(directory, 0o700);
        return {};
      case 'create':
        closeSync(openSync(join(directory, step.flag), 'wx', 0o600));
        return {};
      case 'list':
        return { flags: readdirSync(directory) };
      case 'unlink':
        unlinkSync(join(directory, step.flag));
        return {};
      case 'rmdir':
        rmdirSync(directory);
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
