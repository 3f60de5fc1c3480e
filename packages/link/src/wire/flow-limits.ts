import { checkLimit } from '@threadbus/core/internal';

/** How much may be under way at a time. */
export interface FlowLimits {
  /** Events on the wire. */
  readonly maxInFlight: number;
  /** Events that wait on this side for a place on the wire. */
  readonly maxPending: number;
}

export const defaultFlow: FlowLimits = { maxInFlight: 256, maxPending: 10_000 };

/** What the user gave, checked; what he didn't give is as by default. */
export function checkFlow({ maxInFlight, maxPending }: { readonly [Name in keyof FlowLimits]?: unknown }): FlowLimits {
  return {
    maxInFlight: maxInFlight === undefined ? defaultFlow.maxInFlight : limit('maxInFlight', maxInFlight),
    maxPending: maxPending === undefined ? defaultFlow.maxPending : limit('maxPending', maxPending),
  };
}

function limit(name: string, value: unknown): number {
  return checkLimit(name, value) ?? Infinity;
}
