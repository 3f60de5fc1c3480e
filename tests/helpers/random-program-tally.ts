/** How much a program did. */
export interface Tally {
  events: number;
  handlers: number;
  awaits: number;
  cycles: number;
  refusals: number;
  aborted: number;
  /** Events that need one result. */
  firsts: number;
  cancels: number;
  /** Calls of middleware. */
  wrapped: number;
  /** Events that started beside others though nobody awaited them. */
  beside: number;
}

export function noTally(): Tally {
  return {
    events: 0,
    handlers: 0,
    awaits: 0,
    cycles: 0,
    refusals: 0,
    aborted: 0,
    firsts: 0,
    cancels: 0,
    wrapped: 0,
    beside: 0,
  };
}
