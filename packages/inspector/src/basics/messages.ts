import type { BusStats } from '@threadbus/core';
import type { PoolStats, ThreadEnd, ThreadStart, WorkerBusStats } from '@threadbus/worker';
import type { EventDetails, EventRecord } from './records.ts';

/** A thread, as Node.js numbers them. */
export interface Place {
  readonly pid: number;
  /** 0 for a main thread. */
  readonly thread: number;
}

/** What a thread can say of itself at any time, at the same cost. */
export interface Numbers {
  readonly buses: readonly (BusStats & { readonly name: string })[];
  /** Buses that are not among them, having less to do. */
  readonly more: number;
  readonly links: readonly (WorkerBusStats & {
    readonly name: string;
    readonly threadId: number;
    readonly pid: number;
  })[];
  readonly pools: readonly PoolStats[];
}

/** From an agent to its hub. */
export type Report =
  | { readonly kind: 'hello'; readonly place: Place }
  | {
      readonly kind: 'batch';
      readonly records: readonly EventRecord[];
      /** Dispatches since the batch before, and how many of them are not shown. */
      readonly seen: number;
      readonly skipped: number;
      /** Calls that went wrong, and of which there is no record, since there were too many. */
      readonly untold: number;
    }
  | { readonly kind: 'numbers'; readonly numbers: Numbers }
  | { readonly kind: 'thread'; readonly at: number; readonly start: ThreadStart; readonly end: ThreadEnd | null }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: Answer };

/** Null: the event isn't held any more. */
export type Answer = EventDetails | { readonly dispatched: string } | { readonly refused: string } | null;

/** From a hub to its agents. */
export type Order =
  /** How many records a second they may send. */
  | { readonly kind: 'budget'; readonly records: number }
  | { readonly kind: 'ask'; readonly number: number; readonly what: 'details' | 'dispatch'; readonly id: string };

/** What an agent needs to find its hub; plain data. */
export interface AgentCall {
  /** Of the hub, so that a thread has one agent for each. */
  readonly hub: string;
  readonly port: number;
  /** For this time of looking: the hub knows no other. */
  readonly secret: string;
  /** URL of the module that hides values; null = what is hidden by default. */
  readonly redact: string | null;
}
