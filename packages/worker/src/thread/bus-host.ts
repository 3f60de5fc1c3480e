import type { BusIdentity, ThreadPlace } from '@threadbus/core/internal';
import type { Link, RemoteBus } from '@threadbus/link/internal';
import type { ResolvedWorkerOptions } from '../options.ts';
import type { BoardReader } from './board.ts';
import type { ControlClient } from './control.ts';
import type { KeptOutput } from './kept-output.ts';

/** What a new thread, or process, is to become. */
export interface HostPlan {
  readonly entry: URL;
  readonly id: string;
  /** Null for the first: the bus keeps its name, with the suffix behind it. */
  readonly name: string | null;
  readonly suffix: string;
  readonly options: ResolvedWorkerOptions;
  /** Takes what it prints, as far as the user wants to read that. */
  readonly output: KeptOutput;
}

/** How a thread or process ended by itself. */
export interface HostEnd {
  /** What it did, as the end of a sentence: `exited with code 1`. */
  readonly text: string;
  /** What was thrown and not caught, or why it ran out of memory; undefined if that isn't known, or it just exited. */
  readonly error: unknown;
  /** It could not read something that was sent to it. */
  readonly unread: boolean;
}

/**
 * Where a bus lives beside this thread: starting, then up once the bus is exposed, then ended, by itself or by
 * `terminate`. It doesn't keep this process alive once it is up, unless it is told so.
 */
export interface BusHost {
  /** Of the process that the bus is in; -1 once that has ended. */
  readonly pid: number;
  /** Where its handlers run, or ran: a thread that is gone, and the process, keep their ids. Thread 0 in a process of its own. */
  readonly place: ThreadPlace;
  readonly link: Link;
  readonly control: ControlClient;
  readonly board: BoardReader;
  /** The bus over there, once it is exposed; rejects if it ends before that. */
  readonly ready: Promise<BusIdentity>;
  /** The bus over there has introduced itself. */
  hello(bus: BusIdentity): void;
  /** The bus over there is none that this side can talk to. */
  refuse(error: Error): void;
  /** Seconds for which its event loop has had nothing to do since it started; null where that can't be seen. */
  readonly idleTime: number | null;
  /** Whether this process must stay up for what goes on over there. A starting one keeps it up anyway. */
  keepAlive(needed: boolean): void;
  /** Reads what has been sent and this side has had no time for, then calls back. */
  catchUp(then: () => void): void;
  /** Asks it to end, and doesn't wait for it: a native call can hold it for long. Nothing more is read from it. */
  terminate(error: Error): void;
}

/** Starts a host. @param onEnd told when one that was up has ended by itself */
export type StartHost = (plan: HostPlan, remote: RemoteBus, onEnd: (end: HostEnd) => void) => BusHost;
