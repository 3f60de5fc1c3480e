/** What a pool thread runs for one lease: loads the handlers' modules, calls them, and answers over the lease's port. */
import type { MessagePort } from 'node:worker_threads';
import type { BaseEvent, HandlerContext } from '@threadbus/core';
import { type AnyHandler, describe, type ForwardTarget, newId } from '@threadbus/core/internal';
import {
  BusReference,
  defaultFlow,
  type Link,
  LocalCall,
  outsideContexts,
  RemoteBus,
  type WireCall,
} from '@threadbus/link/internal';
import { lineSender, type NewHandler, type NewLine, type PoolMessage, readLine } from './pool-port.ts';
import { loadHint } from '../thread/start-failure.ts';

/** One lease of a pool thread. */
export interface PoolTask {
  readonly port: MessagePort;
}

interface LoadedHandler {
  readonly name: string;
  readonly handler: AnyHandler;
}

/** Resolves when the lease has ended: the thread is free then. */
export default async function runTask({ port }: PoolTask): Promise<void> {
  const links: Link[] = [];
  const handlers = new Map<number, LoadedHandler>();
  const read = (message: PoolMessage): void => {
    if (Array.isArray(message)) readLine(links, message);
    else if ('line' in message) links[message.line] = openLine(port, message, handlers);
    else handlers.set(message.target, loaded(message));
  };
  await new Promise<void>((resolve) => {
    outsideContexts(() => port.on('message', read).on('close', resolve));
  });
}

/** Makes this side's end of the link to a bus that calls. */
function openLine(port: MessagePort, { line, bus }: NewLine, handlers: ReadonlyMap<number, LoadedHandler>): Link {
  return outsideContexts(() => {
    const targetOf = (target: number, wireCall: WireCall | null): ForwardTarget | undefined => {
      const loadedHandler = handlers.get(target);
      if (loadedHandler === undefined || wireCall === null) return undefined;
      const { name: handlerName, handler } = loadedHandler;
      const { resultId, handlerId } = wireCall;
      const source = { handlerId, handlerName, busId: bus.id, busName: bus.name };
      link.sendWorking();
      return new LocalCall({
        resultId,
        source,
        handler,
        bus: reference,
        onSuspended: (suspended) => link.sendSuspended(suspended),
      });
    };
    const remote = new RemoteBus(bus, null, defaultFlow, { busy: () => undefined, targetOf });
    const reference = new BusReference(remote);
    const link = remote.createLink(lineSender(port, line), null);
    link.open({ id: newId(), name: 'a pool thread' });
    remote.connect();
    return link;
  });
}

async function load(entry: string): Promise<{ default?: unknown }> {
  try {
    return (await import(entry)) as { default?: unknown };
  } catch (error) {
    const hint = error instanceof Error ? loadHint(error.message) : '';
    if (hint === '') throw error;
    const { message, code } = error as NodeJS.ErrnoException;
    throw Object.assign(new Error(`${message}.${hint}`, { cause: error }), { code });
  }
}

/** The module's default export, as a handler that loads it when it is called. */
function loaded({ entry, handlerName: name }: NewHandler): LoadedHandler {
  let known: AnyHandler | null = null;
  const handler = async (event: BaseEvent, context: HandlerContext): Promise<unknown> => {
    if (known !== null) return known(event, context);
    const { default: found } = await load(entry);
    if (typeof found !== 'function') {
      throw new TypeError(
        `Expected the default export of ${entry} to be the handler, export default async (event) => { … }; got ${describe(found)}.`,
      );
    }
    known = found as AnyHandler;
    return known(event, context);
  };
  return { name, handler };
}
