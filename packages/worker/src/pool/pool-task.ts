/** What a pool thread runs as long as it lives: loads the handlers' modules, calls them, and answers over its port. */
import { isMainThread, type MessagePort } from 'node:worker_threads';
import {
  type AnyHandler,
  type ForwardTarget,
  newId,
  type ResultSource,
  setImmediate,
  takesOneArgument,
} from '@threadbus/core/internal';
import {
  BusReference,
  defaultFlow,
  encodeThrown,
  type Link,
  LocalCall,
  outsideContexts,
  RemoteBus,
  type WireCall,
} from '@threadbus/link/internal';
import { runEndHooks } from '../thread/end-hooks.ts';
import { takeGuest } from '../thread/guests.ts';
import { drainOutput } from '../thread/output.ts';
import { reportWhere } from '../thread/where-report.ts';
import { Desk } from './desk.ts';
import { ShownFunction } from './shown-function.ts';
import { Turns } from './turns.ts';
import { loadHandler } from './load-handler.ts';
import {
  callOf,
  lineSender,
  type LoadModule,
  type OpenLine,
  readLine,
  type ToPool,
  type ToThread,
} from './pool-port.ts';

/** What a thread starts with. */
export interface PoolTask {
  readonly port: MessagePort;
  readonly desk: SharedArrayBuffer;
}

interface LoadedHandler {
  readonly name: string;
  readonly handler: AnyHandler;
  readonly ignoresContext: boolean;
}

/** Serves from now on; it is the port that keeps the thread, not this task. */
export default function serve({ port, desk: buffer }: PoolTask): void {
  const desk = new Desk(buffer);
  const turns = new Turns(desk);
  const links = new Map<number, Link>();
  const handlers = new Map<number, LoadedHandler>();
  const tell = (news: ToPool): void => port.postMessage(news);
  const read = (message: ToThread): void => {
    if (Array.isArray(message)) readLine(links, message);
    else if ('finish' in message) void finish(tell);
    else if ('guest' in message) void takeGuest(message.guest);
    else if ('load' in message) void load(message, handlers, tell);
    else if ('open' in message) links.set(message.open, openLine(port, message, { desk, turns, handlers }));
    else closeLine(links, message.close);
  };
  if (!isMainThread) reportWhere();
  outsideContexts(() => port.on('message', read).on('messageerror', unreadable));
  tell({ news: 'up' });
}

/** Nobody can tell what was said: the thread ends, and its pool is told. */
function unreadable(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}

async function finish(tell: (news: ToPool) => void): Promise<void> {
  tell({ news: 'finishing' });
  await runEndHooks();
  tell({ news: 'finished' });
}

async function load(
  { load: module, entry }: LoadModule,
  handlers: Map<number, LoadedHandler>,
  tell: (news: ToPool) => void,
): Promise<void> {
  tell({ news: 'loading', module });
  try {
    const { name, handler } = await loadHandler(entry);
    handlers.set(module, { name, handler, ignoresContext: takesOneArgument(handler) });
    tell({ news: 'loaded', module });
  } catch (error) {
    tell({ news: 'failed', module, error: encodeThrown(error) });
  }
}

/** What all links of the thread share. */
interface Works {
  readonly desk: Desk;
  readonly turns: Turns;
  readonly handlers: ReadonlyMap<number, LoadedHandler>;
}

/** Makes this side's end of the link to a bus that calls. */
function openLine(port: MessagePort, { open: line, bus }: OpenLine, { desk, turns, handlers }: Works): Link {
  return outsideContexts(() => {
    let source: ResultSource = { handlerId: '', handlerName: '', busId: bus.id, busName: bus.name };
    const targetOf = (target: number, wireCall: WireCall | null): ForwardTarget | undefined => {
      const wanted = callOf(target);
      if (wanted === null || wireCall === null) return undefined;
      const handler = handlers.get(wanted.module);
      const { free } = turns;
      // One that was ended meanwhile is not started any more.
      if (handler === undefined || (free && !desk.take(wanted.call))) return undefined;
      const { resultId, handlerId } = wireCall;
      // The same object for the same handler: what answers say of it was said before then.
      if (source.handlerId !== handlerId) {
        source = { handlerId, handlerName: handler.name, busId: bus.id, busName: bus.name };
      }
      const shown = new ShownFunction(handler.handler, desk, wanted.call);
      const call = new LocalCall({
        resultId,
        source,
        handler: shown.handler,
        onSettled: (how) => shown.settled(how),
        ignoresContext: handler.ignoresContext,
        bus: reference,
        onSuspended,
        turns: free ? undefined : { wait: (ahead) => turns.wait(ahead, wanted.call, shown) },
      });
      if (free) turns.begun(call, shown);
      return call;
    };
    const remote = new RemoteBus(bus, null, defaultFlow, { busy: () => undefined, targetOf });
    const reference = new BusReference(remote);
    const onSuspended = (suspended: boolean): void => link.sendSuspended(suspended);
    const link = remote.createLink(lineSender(port, line), null, unreadable);
    link.open({ id: newId(), name: 'a pool thread' });
    remote.connect();
    // The next call, which may block the thread, begins when the answer has left.
    link.outbox.expectsMore = () => false;
    link.onAnswer = (arrival) => turns.answered(arrival, link);
    if (!isMainThread) {
      link.outbox.gate = drainOutput;
      link.outbox.onOpen = () => turns.opened();
    }
    return link;
  });
}

function closeLine(links: Map<number, Link>, line: number): void {
  links.get(line)?.close();
  links.delete(line);
}
