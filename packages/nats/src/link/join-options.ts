import { checkLimit, checkOptions, checkWait, describe, type Limit } from '@threadbus/core/internal';
import { checkFlow } from '@threadbus/link/internal';
import type { LinkEndLimits } from './link-end.ts';

/** Bytes. */
export const defaultPendingBytes: number = 64 << 20;
export const defaultEventBytes: number = 64 << 20;

/** Options of `net.join`. */
export interface JoinOptions {
  /** Events on the wire at a time. @default 256 */
  readonly maxInFlight?: number | undefined;
  /** Events that wait on this side, also while the broker is away, before `dispatch` refuses more. @default 10_000 */
  readonly maxPending?: number | undefined;
  /** About the bytes of what waits on this side, and of what is sent and not acknowledged, before `dispatch` refuses more. @default 64 MiB */
  readonly maxPendingBytes?: number | undefined;
  /** Bytes of an event or its results at most, as they travel. @default 64 MiB */
  readonly maxEventBytes?: number | undefined;
  /** Seconds of silence after which the link is lost, on both sides; null = never. @default 30 */
  readonly unresponsiveTimeout?: number | null | undefined;
  /** Seconds for the other side to answer. @default 10 */
  readonly startTimeout?: number | null | undefined;
  /** Which of several servers of the name: its id, as of `net.replicas(name)`. @default any */
  readonly replica?: string | undefined;
}

export interface ResolvedJoinOptions {
  readonly limits: LinkEndLimits;
  readonly startTimeout: Limit;
  readonly replica: string | null;
}

/** Checks what the user gave and fills in the rest. @throws TypeError, RangeError */
export function resolveJoinOptions(options: JoinOptions): ResolvedJoinOptions {
  checkOptions('join', options, [
    'maxInFlight',
    'maxPending',
    'maxPendingBytes',
    'maxEventBytes',
    'unresponsiveTimeout',
    'startTimeout',
    'replica',
  ]);
  const { maxPendingBytes = defaultPendingBytes, maxEventBytes = defaultEventBytes, replica } = options;
  const { unresponsiveTimeout = 30, startTimeout = 10 } = options;
  if (replica !== undefined && (typeof replica !== 'string' || replica === '')) {
    throw new TypeError(
      `Expected replica to be an id, such as (await net.replicas(name))[0]; got ${describe(replica)}.`,
    );
  }
  return {
    limits: {
      ...checkFlow(options),
      maxPendingBytes: checkLimit('maxPendingBytes', maxPendingBytes) ?? Infinity,
      maxEventBytes: checkLimit('maxEventBytes', maxEventBytes) ?? defaultEventBytes,
      unresponsiveTimeout: checkLimit('unresponsiveTimeout (seconds)', unresponsiveTimeout),
    },
    startTimeout: checkWait('startTimeout (seconds)', startTimeout),
    replica: replica ?? null,
  };
}
