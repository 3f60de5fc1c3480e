import { randomBytes } from 'node:crypto';
import type { Liveness } from './thread-liveness.ts';
import { liveness } from './thread-liveness.ts';
import { formatIdentity, parseIdentity, selfIdentity, type ThreadIdentity } from './thread-identity.ts';

// A mark is a file whose name tells which thread made it: `<prefix>.<identity>.<unique>`. It has no content, so that
// it can't be found half written.

const instance = randomBytes(6).toString('hex');
let count = 0;

/** A file name that says that this thread made it. No two marks ever have the same name. */
export function newMark(prefix: string): string {
  count++;
  return `${prefix}.${formatIdentity(selfIdentity())}.${instance}${count.toString(36)}`;
}

/** Who made a mark; `undefined` if no version of this package did. */
function markOwner(mark: string): ThreadIdentity | undefined {
  return parseIdentity(mark.split('.').at(-2) ?? '');
}

export function markState(mark: string): Liveness {
  const owner = markOwner(mark);
  return owner === undefined ? 'unknown' : liveness(owner);
}

/**
 * How old the heartbeat of an owner must be that can't be seen from here (in another container, on another machine)
 * before it counts as dead. An owner that can be seen is never judged by its heartbeat: it may be blocked or stopped.
 */
const UNSEEN_STALE_MS = 60_000;

/** @param heartbeat when the owner last gave a sign of life, in ms since 1970; asked for only if it matters */
export function isMarkDead(mark: string, heartbeat: () => number): boolean {
  const state = markState(mark);
  if (state !== 'unknown') return state === 'dead';
  return Date.now() - heartbeat() > UNSEEN_STALE_MS;
}

/** The owner as the reports show it. */
export function describeMark(mark: string): { pid: number | null; threadId: number | null; state: Liveness } {
  const owner = markOwner(mark);
  return { pid: owner?.pid ?? null, threadId: owner?.threadId ?? null, state: markState(mark) };
}
