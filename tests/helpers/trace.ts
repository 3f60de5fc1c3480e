import type { EventBus } from '@threadbus/core';
import { nextTurn } from './gate.ts';

/** Notes when handlers of the type begin and end. */
export function trace(bus: EventBus, order: string[], type: string): void {
  bus.on(type, async () => {
    order.push(`${type} begins`);
    await nextTurn();
    order.push(`${type} ends`);
  });
}
