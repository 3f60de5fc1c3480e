import { createReadStream } from 'node:fs';
import { batchStart, type LineMarks } from './log-line.ts';

/** A line of a log that is JSON, or is none and should be. */
export interface ReadLine {
  /** From 1, as editors count. */
  readonly number: number;
  readonly text: string;
  /** The line's JSON; undefined if it is damaged. */
  readonly document: (Record<string, unknown> & LineMarks) | undefined;
  /** Why it is no JSON. */
  readonly error: unknown;
}

const byteOrderMark = '\uFEFF';
/** Bytes that are read at once. */
const chunkSize = 1 << 18;

/**
 * The lines of a log, many at once; those that were torn are left out.
 *
 * Torn is what a kill, a full disk or a loss of power leaves of a write: the end of the file that no newline ends, and
 * what stands on a line in front of a batch's start, which is a character that JSON as it is written has nowhere else.
 * Only a newline ends a line: readline would also split at characters that JSON allows within strings.
 */
export async function* readLines(path: string): AsyncGenerator<ReadLine[], void, undefined> {
  /** Of the last line, whose end is still to come: put together once, however many they are. */
  let parts: string[] = [];
  let number = 0;
  let first = true;
  const stream = createReadStream(path, { encoding: 'utf8', highWaterMark: chunkSize });
  for await (const chunk of stream as AsyncIterable<string>) {
    const texts = (first && chunk.startsWith(byteOrderMark) ? chunk.slice(1) : chunk).split('\n');
    first = false;
    const rest = texts.pop() ?? '';
    if (texts.length === 0) {
      parts.push(rest);
      continue;
    }
    if (parts.length > 0) {
      parts.push(texts[0] ?? '');
      texts[0] = parts.join('');
    }
    parts = rest === '' ? [] : [rest];
    const lines: ReadLine[] = [];
    for (const text of texts) {
      number += 1;
      parseLine(lines, text, number, true);
    }
    yield lines;
  }
  if (parts.length === 0) return;
  const last: ReadLine[] = [];
  parseLine(last, parts.join(''), number + 1, false);
  yield last;
}

function parseLine(lines: ReadLine[], text: string, number: number, ended: boolean): void {
  try {
    lines.push({ number, text, document: parse(text), error: null });
  } catch (error) {
    if (text.trim() === '') return;
    const pieces = text.split(batchStart);
    const last = pieces.pop() ?? '';
    for (const piece of pieces) pushWhole(lines, piece, number);
    if (pieces.length > 0) parseLine(lines, last, number, ended);
    else if (ended) lines.push({ number, text, document: undefined, error });
  }
}

/** What stands in front of a batch is torn, unless just its newline is missing. */
function pushWhole(lines: ReadLine[], text: string, number: number): void {
  try {
    lines.push({ number, text, document: parse(text), error: null });
  } catch {
    // Torn.
  }
}

function parse(text: string): Record<string, unknown> {
  const document: unknown = JSON.parse(text);
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    return document as Record<string, unknown>;
  }
  throw new SyntaxError('it is no object');
}
