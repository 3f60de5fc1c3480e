/** What a pool thread runs for one event: loads the handler's module, calls it, and answers over the task's own port. */
import type { MessagePort } from 'node:worker_threads';
import type { BaseEvent, HandlerContext } from '@threadbus/core';
import { type AnyHandler, type BusIdentity, describe, type ForwardTarget, newId } from '@threadbus/core/internal';
import { BusReference } from './bus-reference.ts';
import { defaultFlow } from './flow-limits.ts';
import { LocalCall } from './local-call.ts';
import { linkOverPort } from './port-link.ts';
import type { WireCall } from './protocol.ts';
import { RemoteBus } from './remote-bus.ts';
import { loadHint } from './start-failure.ts';

/** One event for a pool thread. */
export interface PoolTask {
  readonly port: MessagePort;
  /** URL of the module whose default export is the handler. */
  readonly entry: string;
  /** The bus that runs the handler, as it is known where the pool is. */
  readonly bus: BusIdentity;
  readonly handlerName: string;
}

/** Resolves when the handler has been answered for: the thread is free then. */
export default async function runTask({ port, entry, bus, handlerName }: PoolTask): Promise<void> {
  await new Promise<void>((resolve) => {
    const handler = loaded(entry);
    const targetOf = (_target: number, call: WireCall | null): ForwardTarget | undefined => {
      const source = { handlerId: call?.handlerId ?? '', handlerName, busId: bus.id, busName: bus.name };
      const onSuspended = (suspended: boolean): void => link.sendSuspended(suspended);
      return new LocalCall({
        resultId: call?.resultId ?? '',
        source,
        handler,
        bus: new BusReference(remote),
        onSuspended,
      });
    };
    const remote = new RemoteBus(bus, null, defaultFlow, { busy: () => undefined, targetOf });
    const link = linkOverPort(remote, port, {
      bus: null,
      identity: { id: newId(), name: 'a pool thread' },
      onClose: resolve,
    });
    remote.connect();
    link.onAnswer = () => {
      link.outbox.flush();
      port.close();
      resolve();
    };
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
function loaded(entry: string): AnyHandler {
  return async (event: BaseEvent, context: HandlerContext): Promise<unknown> => {
    const { default: handler } = await load(entry);
    if (typeof handler !== 'function') {
      throw new TypeError(
        `Expected the default export of ${entry} to be the handler, export default async (event) => { … }; got ${describe(handler)}.`,
      );
    }
    return (handler as AnyHandler)(event, context);
  };
}
