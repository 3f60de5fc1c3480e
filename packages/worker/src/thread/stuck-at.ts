import { fileURLToPath } from 'node:url';
import type { StuckFrame } from '@threadbus/core';
import { startTimer } from '@threadbus/core/internal';
import { ownRoots } from '../entries.ts';
import { countCoreWaits } from './core-waits.ts';
import { filePosition, sourcePositions } from './source-positions.ts';
import { type Call, stopThread } from './thread-inspector.ts';
import { whereExpression } from './where-report.ts';

/** Seconds in which a thread that is to be ended must say where it is; those in which there is no core for it don't count. */
const patience = 0.45;
/** Seconds in which any other must. */
const longPatience = 2;
/** Seconds after which nobody waits any more. */
const longest = 5;
/** Seconds for its source maps, for each thread that is asked. */
const mapPatience = 0.05;
/** Calls that are told of. */
const mostCalls = 20;

/** Threads that are being asked where they are stuck; and how many at the same time, since there was none. */
let asked = 0;
let crowd = 0;

/** What a busy thread is doing. */
export interface WhereIs {
  /** As `threadId` of node:worker_threads in that thread. */
  readonly threadId: number;
  /** Of the handler that is running; null if none is. */
  readonly eventId: string | null;
  /** Of that handler. */
  readonly handlerName: string | null;
  /** Innermost first; without what belongs to Node.js or to us. */
  readonly frames: readonly StuckFrame[];
}

/**
 * Where a thread that doesn't answer is, innermost call first.
 *
 * Threads that are stuck at the same time share the cores, also with this one, which has to read their answers: asked all
 * at once, they answer at about the same time, in half a second each at most.
 *
 * @returns within half a second if no other is being asked, and the machine has a core for it; null if it can't be had: in
 *   a native call, in another process, beside a debugger
 */
export async function stuckAt(threadId: number): Promise<readonly StuckFrame[] | null> {
  asked += 1;
  crowd = Math.max(crowd, asked);
  const waited = countCoreWaits();
  try {
    return (await look(threadId, () => Math.min(patience * crowd + waited(), longest), null))?.frames ?? null;
  } finally {
    asked -= 1;
    if (asked === 0) crowd = 0;
  }
}

/** What a busy thread is doing; null if that can't be had. */
export async function whereIs(threadId: number): Promise<WhereIs | null> {
  const seen = await look(threadId, () => longPatience, whereExpression);
  if (seen === null) return null;
  const { eventId = null, handlerName = null } = (
    typeof seen.value === 'string' ? JSON.parse(seen.value) : {}
  ) as Partial<WhereIs>;
  return { threadId, eventId, handlerName, frames: seen.frames };
}

async function look(
  threadId: number,
  seconds: () => number,
  expression: string | null,
): Promise<{ readonly frames: readonly StuckFrame[]; readonly value: unknown } | null> {
  const stop = await stopThread(threadId, seconds, expression);
  if (stop === null) return null;
  const roots = ownRoots();
  const calls = stop.calls.filter((call) => isTheirs(call, roots)).slice(0, mostCalls);
  if (calls.length === 0) return null;
  return { frames: await inTime(sourcePositions(calls), calls), value: stop.value };
}

/** Positions in the files themselves, if the maps take long. */
async function inTime(positions: Promise<StuckFrame[]>, calls: readonly Call[]): Promise<StuckFrame[]> {
  return new Promise((resolve) => {
    const timer = startTimer(mapPatience * Math.max(crowd, 1), () => resolve(calls.map(filePosition)), true);
    void positions.then((mapped) => {
      timer.cancel();
      resolve(mapped);
    });
  });
}

/** Neither Node's nor ours. */
function isTheirs({ script: { url } }: Call, roots: readonly string[]): boolean {
  return url !== '' && !url.startsWith('node:') && !roots.some((root) => url.startsWith(root));
}

/** As one line of a message: `resize (/app/resize.ts:12:5)`. */
function positionText({ functionName, url, line, column }: StuckFrame): string {
  const file = url.startsWith('file:') ? fileURLToPath(url) : url;
  return `${functionName} (${file}:${line}:${column})`;
}

/** Says in an error where its thread was, for programs and for people; null if that isn't known. */
export function sayStuckAt<E extends Error>(error: E, frames: readonly StuckFrame[] | null): E {
  const first = frames?.[0];
  if (frames !== null && first !== undefined) {
    const before = error.message;
    const end = before.endsWith('.') ? '.' : '';
    error.message = `${before}${end === '' ? '.' : ''} It was at ${positionText(first)}${end}`;
    const lines = frames.map((frame) => `    at ${positionText(frame)}`);
    error.stack = [`${error.name}: ${error.message}`, ...lines].join('\n');
  }
  return Object.assign(error, { stuckAt: frames });
}
