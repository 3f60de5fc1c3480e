import { activeHandler } from '@threadbus/core/internal';
import type { BaseEvent } from '@threadbus/core';

const name = 'threadbus.where';

/** Gives, in a thread that stands anywhere, the handler that is running there, as JSON. */
export const whereExpression: string = `globalThis[Symbol.for('${name}')]?.()`;

/** Lets a thread be asked which handler it is running, while it stands: the context of what it does tells. */
export function reportWhere(): void {
  (globalThis as Record<symbol, unknown>)[Symbol.for(name)] = (): string => {
    const runner = activeHandler.getStore()?.runner;
    if (runner === undefined) return '{}';
    const { event_id: eventId } = runner.lifecycle.event as BaseEvent;
    return JSON.stringify({ eventId, handlerName: (runner as { handler_name?: string }).handler_name });
  };
}
