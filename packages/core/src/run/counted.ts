/** What a bus counts of an event's handlers. */
export interface Counted {
  failure: 'none' | 'failed' | 'timed out';
}
