/** What goes over a pool thread's port: frames of links, each with the number of its link at the end, and what names them. */
import type { MessagePort } from 'node:worker_threads';
import { cloneFailure, type Link, type Sender, type Target, type WireValue } from '@threadbus/link/internal';
import type { BusIdentity } from '@threadbus/core/internal';
import type { Guest } from '../thread/guests.ts';

/** To the thread: the first frame of a further link follows, to that bus at the pool's end. */
export interface OpenLine {
  readonly open: number;
  readonly bus: BusIdentity;
}

/** To the thread: that link is not used any more. */
interface CloseLine {
  readonly close: number;
}

/** To the thread: load a module, whose default export is a handler. Calls of it follow once it is loaded. */
export interface LoadModule {
  readonly load: number;
  /** URL of the module. */
  readonly entry: string;
}

/** To the thread: it is to end; answered at once, and again when what it holds is flushed. */
interface FinishThread {
  readonly finish: true;
}

/** To the thread: something else than a handler is to be loaded; it is not answered. */
interface LoadGuest {
  readonly guest: Guest;
}

export type ToThread = FinishThread | LoadGuest | OpenLine | CloseLine | LoadModule | unknown[];

/** To the pool: the thread is there, and after that for each module: it loads, and it is loaded or why it is not. */
export type ThreadNews =
  | { readonly news: 'up' | 'finishing' | 'finished' }
  | { readonly news: 'loading' | 'loaded'; readonly module: number }
  | { readonly news: 'failed'; readonly module: number; readonly error: WireValue };

export type ToPool = ThreadNews | unknown[];

/** A thread that has loaded so many modules is replaced: none of them is ever unloaded. */
export const maxModules = 4096;

/** For what an event is sent: that call, which runs that module's handler. Other numbers are of what handlers there register. */
export class CallTarget implements Target {
  readonly number: number;

  constructor(call: number, module: number) {
    this.number = -1 - (call * maxModules + module);
  }
}

/** Null for a target that is no call. */
export function callOf(target: number): { readonly call: number; readonly module: number } | null {
  if (target >= 0) return null;
  const number = -1 - target;
  return { call: Math.floor(number / maxModules), module: number % maxModules };
}

/** Sends the frames of one of the links that share a port. */
export function lineSender(port: MessagePort, line: number): Sender {
  return {
    send(message, transfer): void {
      const frame = message as unknown[];
      frame.push(line);
      try {
        if (transfer.length === 0) port.postMessage(frame);
        else port.postMessage(frame, [...transfer]);
      } catch (error) {
        throw cloneFailure(error);
      } finally {
        // A frame that can't be cloned is taken apart by its owner.
        frame.pop();
      }
    },
  };
}

/** Hands a frame to its link, if that is still used. */
export function readLine(links: ReadonlyMap<number, Link>, frame: unknown[]): void {
  links.get(frame.pop() as number)?.readFrame(frame);
}
