import { isDeepStrictEqual } from 'node:util';
import type { BaseEvent, EventResult } from '@threadbus/core';
import { isHandlerAbortedError, isHandlerCancelledError, lifecycleOf } from '@threadbus/core/internal';

/** An event that was sent and then cancelled. */
export interface Cancelled {
  readonly cancelCause: { readonly reason: unknown } | null;
}

/**
 * Why events at the other end were cancelled, while they are under way there: what comes back names these causes, as
 * copies, and gets the very objects again.
 */
export class CancelCauses {
  /** Null until there is one. */
  #parts: Set<Cancelled> | null = null;

  add(part: Cancelled): void {
    (this.#parts ??= new Set()).add(part);
  }

  remove(part: Cancelled): void {
    if (part.cancelCause !== null) this.#parts?.delete(part);
  }

  clear(): void {
    this.#parts = null;
  }

  /** The cause of which this one is a copy, else the copy. */
  original(copy: unknown): unknown {
    for (const { cancelCause } of this.#parts ?? []) {
      for (const cause of chainOf(cancelCause?.reason)) if (isCopy(copy, cause)) return cause;
    }
    return copy;
  }
}

/** Puts the cause in place of its copies, in the errors of the results and of all that their handlers dispatched. */
export function restoreCause(results: readonly EventResult[], reason: unknown): void {
  const causes = chainOf(reason);
  const left = [...results] as EventResult<unknown, BaseEvent>[];
  const seen = new Set<object>();
  for (let result = left.pop(); result !== undefined; result = left.pop()) {
    if (seen.has(result)) continue;
    seen.add(result);
    restoreIn(result.error, causes);
    for (const child of result.event_children) left.push(...(lifecycleOf(child).results as typeof left));
  }
}

function restoreIn(error: unknown, causes: readonly unknown[]): void {
  if (!isHandlerAbortedError(error) && !isHandlerCancelledError(error)) return;
  const original = causes.find((cause) => cause !== error.cause && isCopy(error.cause, cause));
  if (original === undefined) restoreIn(error.cause, causes);
  else error.cause = original;
}

/** The cause, and what that was caused by itself. */
function chainOf(cause: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let each = cause; each !== undefined && chain.length < 8; each = causeOf(each)) chain.push(each);
  return chain;
}

/** Of a stranger's error, which may throw at the question. */
function causeOf(error: unknown): unknown {
  try {
    return error instanceof Error ? error.cause : undefined;
  } catch {
    return undefined;
  }
}

/** As errors travel: their class may be lost, their text is not. */
function isCopy(copy: unknown, cause: unknown): boolean {
  try {
    if (!(copy instanceof Error) || !(cause instanceof Error)) return isDeepStrictEqual(copy, cause);
    return copy.name === cause.name && copy.message === cause.message && copy.stack === cause.stack;
  } catch {
    // What can't be looked at.
    return false;
  }
}
