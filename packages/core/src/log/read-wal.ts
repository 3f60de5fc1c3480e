import type { BaseEvent } from '../event/base-event.ts';
import { describe } from '../basics/describe.ts';
import { EventValidationError } from '../basics/errors.ts';
import { checkFlag, checkOptions } from '../basics/options.ts';
import { identity, leftover } from './compaction-files.ts';
import { Incomplete } from './incomplete.ts';
import { logPath } from './log-path.ts';
import { type ReadLine, readLines } from './log-reader.ts';
import { dispatchedEvent, endedEvent } from './logged-event.ts';

/** A line of a log that holds no event. */
export interface WalProblem {
  /** The file. */
  readonly path: string;
  /** Number of the line, from 1. */
  readonly line: number;
  /** The line itself. */
  readonly text: string;
  /** What is wrong with it. */
  readonly error: EventValidationError;
}

/** Options of `readWal`. */
export interface ReadWalOptions {
  /** Yield fresh copies that can be dispatched: new ids, no path, no parent, pending. @default false */
  readonly reset?: boolean | undefined;
  /**
   * What to do about a line that is damaged or foreign: end with an error, pass over it, or tell a function and pass
   * over it. It may be async and is awaited; if it throws, reading ends with what it threw. Torn lines are no bad lines:
   * they are left out.
   * @default 'throw'
   */
  readonly onBadLine?: 'throw' | 'skip' | ((problem: WalProblem) => void | PromiseLike<void>) | undefined;
  /**
   * Yield the events that have arrived and have no end, or whose end was the bus's `stop()`, as they were dispatched:
   * dispatching them again runs them under their own id. For logs of `walMode: 'ahead'`; a file that isn't there is a
   * log of nothing. The whole file is read first, so the events may be dispatched to a bus that logs to it.
   * @default false
   */
  readonly incomplete?: boolean | undefined;
}

/**
 * Reads the events that a bus has logged, in the order of their completion, with their outcome and results.
 *
 * Events come as plain BaseEvents of their type, which handlers of the class match as well. What a crash has torn is
 * left out.
 *
 * @param path the bus's `walPath`
 * @throws EventValidationError naming the line, if a line is damaged; TypeError for a path or an option that is none;
 *   the file system's error if the file can't be read
 * @example
 * ```ts
 * for await (const event of readWal('./events.jsonl')) console.log(event.event_type, event.event_outcome);
 * for await (const event of readWal('./orders.jsonl', { incomplete: true })) {   // after a crash
 *   await bus.waitForCapacity();   // there may be more of them than maxPending
 *   bus.dispatch(event);
 * }
 * ```
 */
export async function* readWal(
  path: string | URL,
  options: ReadWalOptions = {},
): AsyncGenerator<BaseEvent, void, undefined> {
  const file = logPath('the log', path);
  checkOptions('readWal', options, ['reset', 'onBadLine', 'incomplete']);
  const { reset = false, incomplete = false, onBadLine = 'throw' } = options;
  checkFlag('reset', reset);
  checkFlag('incomplete', incomplete);
  if (reset && incomplete) {
    throw new TypeError(
      'readWal takes either reset or incomplete: a copy under another id would leave the event in the log incomplete.',
    );
  }
  if (onBadLine !== 'throw' && onBadLine !== 'skip' && typeof onBadLine !== 'function') {
    throw new TypeError(`Expected onBadLine to be 'throw', 'skip' or a function; got ${describe(onBadLine)}.`);
  }
  const lines = incomplete ? incompleteLines(file) : completedLines(file);
  const restore = incomplete ? dispatchedEvent : endedEvent;
  for await (const { from, some } of lines) {
    for (const line of some) {
      const event = restored(line, restore);
      if (event instanceof Error) await report(from, line, event, onBadLine);
      else yield reset ? event.eventReset() : event;
    }
  }
}

interface Lines {
  readonly from: string;
  readonly some: Iterable<ReadLine>;
}

async function* completedLines(path: string): AsyncGenerator<Lines, void, undefined> {
  const before = leftover(path);
  for (const from of before === null ? [path] : [before, path]) {
    for await (const lines of readLines(from)) {
      yield { from, some: lines.filter(({ document }) => tellsOfEnd(document)) };
    }
  }
}

/** Bad lines first, then the events. */
async function* incompleteLines(path: string): AsyncGenerator<Lines, void, undefined> {
  const { rest, bad } = await readIncomplete(path);
  yield { from: path, some: bad };
  yield { from: path, some: rest.lines() };
}

async function readIncomplete(path: string): Promise<{ rest: Incomplete; bad: ReadLine[] }> {
  for (;;) {
    const rest = new Incomplete();
    const bad: ReadLine[] = [];
    const before = leftover(path);
    const log = identity(path);
    for (const from of [before, log === null ? null : path]) {
      if (from === null) continue;
      for await (const lines of readLines(from)) {
        for (const line of lines) if (!rest.add(line, from === before) && isForeign(line)) bad.push(line);
      }
    }
    // A compaction may have moved lines from where they were still to be read to where that was over.
    if (identity(path) === log && leftover(path) === before) return { rest, bad };
  }
}

/** No event at all; one that says neither that it has arrived nor that it has ended is nothing to be done. */
function isForeign({ document }: ReadLine): boolean {
  return document === undefined || typeof document['event_id'] !== 'string';
}

/** A bad line is one too; what only tells of an arrival is none. */
function tellsOfEnd(document: ReadLine['document']): boolean {
  return document === undefined || (document.event_status !== 'pending' && document.event_unwritten !== true);
}

function restored(
  { document, error }: ReadLine,
  restore: (document: Record<string, unknown>) => BaseEvent,
): BaseEvent | Error {
  if (document === undefined) return error as Error;
  try {
    return restore(document);
  } catch (cause) {
    return cause as Error;
  }
}

/** @throws unless the line is to be passed over */
async function report(
  path: string,
  { number, text }: ReadLine,
  cause: Error,
  onBadLine: NonNullable<ReadWalOptions['onBadLine']>,
): Promise<void> {
  if (onBadLine === 'skip') return;
  const issues = cause instanceof EventValidationError ? cause.issues : [];
  const error = new EventValidationError(
    `Line ${number} of ${path} is damaged: ${cause.message} Mend or remove the line to read on.`,
    {},
    issues,
    { cause },
  );
  if (onBadLine === 'throw') throw error;
  await onBadLine({ path, line: number, text, error });
}
