// A slot is a directory that its owner pins with a flag: a file in it, whose name says who the owner is.
//
// The kernel refuses to remove a directory that is not empty, so no path that removes stale slots can evict an owner.
// Owner := its flag is in the directory, and a listing made AFTER the flag saw no other. Then:
// 1. The directory lives as long as its owner's flag is in it.
// 2. Of two that put a flag into one directory the later one lists both: at most one is the owner (maybe neither).
// 3. A flag is removed by its owner, or by someone who has proof that the owner's thread has ended. Names never repeat,
//    so that a removal can't hit a successor.
// 4. Only an EMPTY directory is removed by others; a claimer that has made it, and has not put its flag in yet, finds
//    it gone and tries again.
// No clock and no order of steps between actors is assumed. The steps are generators, one `yield` for each system call,
// so that a test can run all their interleavings, with a crash at every step (tests/semaphore/slot-model.test.ts).

/** One system call. */
export type Step =
  | { readonly call: 'mkdir' }
  | { readonly call: 'list' }
  | { readonly call: 'rmdir' }
  | { readonly call: 'create'; readonly flag: string }
  | { readonly call: 'unlink'; readonly flag: string }
  | { readonly call: 'isDead'; readonly flag: string };

/** What a system call gave: an error code, or what was asked for. */
export interface StepResult {
  /** `undefined`: it succeeded. */
  readonly code?: string | undefined;
  /** For `list`. */
  readonly flags?: readonly string[];
  /** For `isDead`. */
  readonly dead?: boolean;
}

export type Steps<Result> = Generator<Step, Result, StepResult>;

/** Takes the slot, unless anyone has it. A failure that is not about others is handed back as its code. */
export function* claim(flag: string): Steps<'held' | 'busy' | { code: string }> {
  const made = yield { call: 'mkdir' };
  if (made.code === 'EEXIST') return 'busy';
  if (made.code !== undefined) return { code: made.code };
  const created = yield { call: 'create', flag };
  if (created.code !== undefined) {
    // No space, or no permission: leave nothing behind. ENOENT: someone took the directory for an abandoned one.
    yield { call: 'rmdir' };
    return created.code === 'ENOENT' ? 'busy' : { code: created.code };
  }
  const { flags = [] } = yield { call: 'list' };
  if (flags.length === 1 && flags[0] === flag) return 'held';
  yield { call: 'unlink', flag };
  yield { call: 'rmdir' };
  return 'busy';
}

/** Gives the slot back. `lost`: someone had deleted it meanwhile. */
export function* release(flag: string): Steps<'released' | 'lost'> {
  const removed = yield { call: 'unlink', flag };
  // Fails if a claimer has its flag in already; that one, or whoever reaps it, removes the directory then.
  yield { call: 'rmdir' };
  return removed.code === 'ENOENT' ? 'lost' : 'released';
}

/** Frees the slot if every owner in it is proven dead; any number of threads may do so at the same moment. */
export function* reap(): Steps<'free' | 'busy'> {
  const { code, flags = [] } = yield { call: 'list' };
  if (code !== undefined) return code === 'ENOENT' ? 'free' : 'busy';
  let alive = 0;
  for (const flag of flags) {
    const { dead } = yield { call: 'isDead', flag };
    if (dead === true) yield { call: 'unlink', flag };
    else alive++;
  }
  if (alive > 0) return 'busy';
  const removed = yield { call: 'rmdir' };
  return removed.code === undefined || removed.code === 'ENOENT' ? 'free' : 'busy';
}
