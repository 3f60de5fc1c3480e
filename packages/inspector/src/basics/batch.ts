import type { ThreadEnd, ThreadStart } from '@threadbus/worker';
import type { Numbers, Place } from './messages.ts';
import type { EventRecord } from './records.ts';

/** How long a handler takes, of its calls that are known. */
export interface HandlerTimes {
  readonly type: string;
  readonly handler: string;
  readonly bus: string;
  readonly calls: number;
  readonly failed: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
}

/** Events that went from one bus to another, or to a pool. */
interface Edge {
  readonly from: string;
  readonly to: string;
  readonly type: string;
  readonly events: number;
}

/** What is made of all events that are known: for a page now and then, not for each event. */
export interface Summary {
  readonly slowest: readonly HandlerTimes[];
  readonly edges: readonly Edge[];
}

/** A thread that has started or ended. */
export interface ThreadNews {
  readonly at: number;
  readonly start: ThreadStart;
  /** Null for a start. */
  readonly end: ThreadEnd | null;
}

/** What a page is told first. */
export interface Greeting {
  readonly pid: number;
  readonly title: string;
  readonly node: string;
  /** Events may be dispatched again. */
  readonly write: boolean;
}

/** What a page is told in one beat. */
export interface Batch {
  readonly events: readonly EventRecord[];
  /** Dispatches in all threads, and how many of them are not shown. */
  readonly seen: number;
  readonly skipped: number;
  /** Calls that went wrong, and of which there is no record. */
  readonly untold: number;
  /** Null if there is nothing new; so are the following. */
  readonly numbers: readonly (Place & { readonly numbers: Numbers })[] | null;
  readonly threads: readonly ThreadNews[] | null;
  readonly summary: Summary | null;
}
