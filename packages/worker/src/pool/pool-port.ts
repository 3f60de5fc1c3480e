/** What goes over the port of a lease: frames of links, each with the number of its link at the end, and what names them. */
import type { MessagePort } from 'node:worker_threads';
import { cloneFailure, type Link, type Sender } from '@threadbus/link/internal';
import type { BusIdentity } from '@threadbus/core/internal';

/** The first frame of a further link follows: the bus at the pool's end of it. */
export interface NewLine {
  readonly line: number;
  readonly bus: BusIdentity;
}

/** Calls of a further handler follow: they come as events for that target. */
export interface NewHandler {
  readonly target: number;
  /** URL of the module whose default export is the handler. */
  readonly entry: string;
  readonly handlerName: string;
}

/** A message of a lease's port. */
export type PoolMessage = NewLine | NewHandler | unknown[];

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

/** Hands a frame to its link. */
export function readLine(links: readonly Link[], frame: unknown[]): void {
  const line = frame.pop() as number;
  links[line]?.readFrame(frame);
}
