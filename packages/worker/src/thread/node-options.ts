/** Options of a thread that Node's `new Worker` knows, checked: those that are given, or Node's own way for those that aren't. */
import type { ResourceLimits, WorkerOptions } from 'node:worker_threads';
import { SHARE_ENV } from 'node:worker_threads';
import { checkOptions, describe } from '@threadbus/core/internal';

/** Node options of a thread; undefined = those of the process, as far as a thread can have them. */
export function checkExecArgv(value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  return checkTexts('execArgv', value, "['--conditions=dev']");
}

/** What a thread sees behind its file in `process.argv`. */
export function checkArgv(value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  return checkTexts('argv', value, "['--verbose']");
}

/** `process.env` of a thread; undefined = a copy of the process's. */
export function checkEnv(value: unknown): WorkerOptions['env'] | undefined {
  if (value === undefined || value === SHARE_ENV) return value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(
      `Expected env to be an object of texts, such as { ...process.env, MODE: 'fast' }, or SHARE_ENV of node:worker_threads; got ${describe(value)}.`,
    );
  }
  for (const [name, text] of Object.entries(value)) {
    if (text !== undefined && typeof text !== 'string') {
      throw new TypeError(`Expected env.${name} to be a text; got ${describe(text)}.`);
    }
  }
  return value as NodeJS.ProcessEnv;
}

/** A name for debuggers and profilers. */
export function checkThreadName(value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new TypeError(`Expected name to be a text for the thread, such as 'index'; got ${describe(value)}.`);
}

const limitNames = ['maxYoungGenerationSizeMb', 'maxOldGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb'];

/** Node keeps 0.19 MB of a thread's stack for itself: with that or little more the whole process ends, in all versions. */
const leastStack = 0.25;
/**
 * Since version 22 a thread whose heap can't hold what V8 begins with (3 MB do) ends the whole process. With this one it
 * can't start either, and that is all that happens.
 */
const leastHeap = 4;

/**
 * Memory limits: Node takes numbers that make no sense, and leaves out what it doesn't know.
 *
 * A process that can't live with its limits ends alone, a thread can take its process along.
 */
export function checkResourceLimits(value: unknown, isolation: 'thread' | 'process'): ResourceLimits | undefined {
  if (value === undefined) return undefined;
  checkOptions('resourceLimits', value, limitNames);
  for (const [name, limit] of Object.entries(value as object) as [string, unknown][]) {
    if (limit === undefined) continue;
    if (typeof limit !== 'number') {
      throw new TypeError(`Expected resourceLimits.${name} to be a number of megabytes; got ${describe(limit)}.`);
    }
    if (!(limit > 0 && limit < Infinity)) {
      throw new RangeError(
        `Expected resourceLimits.${name} to be a number of megabytes above 0; got ${limit}. Leave it out for Node's own limit.`,
      );
    }
  }
  const limits = value as ResourceLimits;
  if (isolation === 'process') return limits;
  const { stackSizeMb = leastStack, maxOldGenerationSizeMb: heap } = limits;
  if (stackSizeMb < leastStack) {
    throw new RangeError(
      `Expected resourceLimits.stackSizeMb to be ${leastStack} or more, with less Node.js ends the whole process; got ${stackSizeMb}.`,
    );
  }
  return heap === undefined ? limits : { ...limits, maxOldGenerationSizeMb: Math.max(leastHeap, heap) };
}

function checkTexts(name: string, value: unknown, example: string): string[] {
  if (Array.isArray(value) && value.every((text) => typeof text === 'string')) return [...value];
  throw new TypeError(`Expected ${name} to be an array of strings, such as ${example}; got ${describe(value)}.`);
}

/** Of what kind a text is that Node runs in place of a file. With it, it refuses an ES module as the first file. */
export const inputType = '--input-type';

/** A thread that inherits this process's options can't begin with the file of an ES module, only with a text that imports it. */
export function refusesModules(): boolean {
  return process.execArgv.some((option) => option.startsWith(inputType));
}
