import { randomBytes } from 'node:crypto';
import {
  formatIdentity,
  identityPattern,
  parseIdentity,
  selfIdentity,
  type ThreadIdentity,
} from './thread-identity.ts';
import { liveness, type Liveness } from './thread-liveness.ts';

// A mark is a file whose name tells which thread made it, and what for:
//
//   <kind>.<number>. … .<identity>.<session>[-<count>]
//
// It has no content to be found half written. A name that is not of this form is not ours: it is never removed, and
// counts for nothing.

/** A file name that a thread of this package made. */
export interface Mark {
  /** The whole file name. */
  readonly name: string;
  readonly kind: string;
  /** What the kind says of them. */
  readonly numbers: readonly number[];
  /** Who made it: the identity, and which of its uses of the folder. */
  readonly owner: string;
  /** Which of the owner's marks; those of one call have the same. */
  readonly count: string;
}

const FORM = new RegExp(`^([a-z0-9]+)((?:\\.[0-9]+)*)\\.(${identityPattern})\\.([0-9a-z]+)(?:-([0-9a-z]+))?$`);

const instance = randomBytes(6).toString('hex');
let sessions = 0;

/** One use of a folder by this thread: what its marks there end with. No two sessions ever are the same. */
export function newSession(): string {
  sessions++;
  return `${formatIdentity(selfIdentity())}.${instance}${sessions.toString(36)}`;
}

/** @param count which of the session's marks it is; absent for the session's own one */
export function markName(kind: string, numbers: readonly (number | string)[], session: string, count?: number): string {
  const head = [kind, ...numbers, session].join('.');
  return count === undefined ? head : `${head}-${count.toString(36)}`;
}

/** @returns `undefined` for what no version of this package has made */
export function parseMark(name: string): Mark | undefined {
  const parts = FORM.exec(name);
  if (parts === null) return undefined;
  const [, kind = '', numbers = '', identity = '', session = '', count = ''] = parts;
  return {
    name,
    kind,
    numbers: numbers === '' ? [] : numbers.slice(1).split('.').map(Number),
    owner: `${identity}.${session}`,
    count,
  };
}

function markOwner(mark: Mark): ThreadIdentity {
  return parseIdentity(mark.owner.slice(0, mark.owner.indexOf('.')));
}

export function markState(mark: Mark): Liveness {
  return liveness(markOwner(mark));
}

/** The owner as the reports show it. */
export function describeMark(mark: Mark): { pid: number; threadId: number; state: Liveness } {
  const { pid, threadId } = markOwner(mark);
  return { pid, threadId, state: markState(mark) };
}
