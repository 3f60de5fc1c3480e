import { isAscii } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { batchStart, type LineMarks } from './log-line.ts';
import { parseLine } from './written-line.ts';

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
const chunkSize = 1 << 17;
const newline = 10;

/**
 * The lines of a log, many at once; those that were torn are left out.
 *
 * Torn is what a kill, a full disk or a loss of power leaves of a write: the end of the file that no newline ends, and
 * what stands on a line in front of a batch's start, which is a character that JSON as it is written has nowhere else.
 * Only a newline ends a line: readline would also split at characters that JSON allows within strings.
 */
export async function* readLines(path: string): AsyncGenerator<ReadLine[], void, undefined> {
  /** Of the last line, whose end is still to come: put together once, however many they are. */
  let parts: Buffer[] = [];
  let number = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: chunkSize }) as AsyncIterable<Buffer>) {
    // Most logs have no other characters, and then there is nothing to decode.
    const encoding = isAscii(chunk) ? 'latin1' : 'utf8';
    const lines: ReadLine[] = [];
    let from = 0;
    // Each line a text of its own: parts of a longer one would keep all of it in memory.
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      const text =
        parts.length === 0
          ? chunk.toString(encoding, from, end)
          : Buffer.concat([...parts, chunk.subarray(from, end)]).toString();
      parts = [];
      from = end + 1;
      number += 1;
      pushLine(lines, number === 1 ? withoutMark(text) : text, number, true);
    }
    if (from < chunk.length) parts.push(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (parts.length === 0) return;
  const rest = Buffer.concat(parts).toString();
  const lines: ReadLine[] = [];
  pushLine(lines, number === 0 ? withoutMark(rest) : rest, number + 1, false);
  yield lines;
}

function withoutMark(text: string): string {
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}

function pushLine(lines: ReadLine[], text: string, number: number, ended: boolean): void {
  try {
    lines.push({ number, text, document: parse(text), error: null });
  } catch (error) {
    if (text.trim() === '') return;
    const pieces = text.split(batchStart);
    const last = pieces.pop() ?? '';
    for (const piece of pieces) pushWhole(lines, piece, number);
    if (pieces.length > 0) pushLine(lines, last, number, ended);
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
  const document = parseLine(text);
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    return document as Record<string, unknown>;
  }
  throw new SyntaxError('it is no object');
}
