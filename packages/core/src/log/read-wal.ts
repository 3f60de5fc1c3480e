import { createReadStream } from 'node:fs';
import { BaseEvent } from '../event/base-event.ts';
import { describe } from '../basics/describe.ts';
import { EventValidationError } from '../basics/errors.ts';
import { tornMark } from './wal.ts';

/** Options of `readWal`. */
export interface ReadWalOptions {
  /** Yield fresh copies that can be dispatched: new ids, no path, no parent. @default false */
  readonly reset?: boolean | undefined;
}

/**
 * Reads the events that a bus has logged, in the order of their completion.
 *
 * Events come as plain BaseEvents of their type, which handlers of the class match as well. A last line that a crash
 * has torn is left out.
 *
 * @param path the bus's `walPath`
 * @throws EventValidationError naming the line, if a line is damaged; TypeError for a path that is no string; the file
 *   system's error if the file can't be read
 * @example
 * ```ts
 * for await (const event of readWal('./events.jsonl', { reset: true })) await bus.dispatch(event);
 * ```
 */
export async function* readWal(path: string, options: ReadWalOptions = {}): AsyncGenerator<BaseEvent, void, undefined> {
  if (typeof path !== 'string')
    throw new TypeError(`Expected the path of a log to be a string; got ${describe(path)}.`);
  let number = 0;
  for await (const { text, ended } of lines(path)) {
    number += 1;
    if (text.trim() === '' || text.endsWith(tornMark)) continue;
    const event = parseLine(text, ended, path, number);
    if (event !== null) yield options.reset === true ? event.eventReset() : event;
  }
}

function parseLine(text: string, ended: boolean, path: string, number: number): BaseEvent | null {
  try {
    return BaseEvent.fromJSON(text);
  } catch (cause) {
    if (!ended) return null;
    const issues = cause instanceof EventValidationError ? cause.issues : [];
    throw new EventValidationError(
      `Line ${number} of ${path} is damaged: ${(cause as Error).message} Mend or remove the line to read on.`,
      {},
      issues,
      {
        cause,
      },
    );
  }
}

/** Only a newline ends a line here: readline would also split at characters that JSON allows within strings. */
async function* lines(path: string): AsyncGenerator<{ text: string; ended: boolean }, void, undefined> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
    const parts = (rest + (chunk as string)).split('\n');
    rest = parts.pop() ?? '';
    for (const text of parts) yield { text, ended: true };
  }
  if (rest !== '') yield { text: rest, ended: false };
}
