import type { BaseEvent } from '../event/base-event.ts';
import type { BusEngine } from './bus-engine.ts';
import type { EventHolder } from './memory-watch.ts';

/** The events that a bus holds: those in flight, then the rest of its history. */
export function heldEvents({ history }: BusEngine): BaseEvent[] {
  return [...new Set([...history.open().map(({ event }) => event), ...history.values()])];
}

/** The same, as the memory watch looks at it: the larger of the two stands for both. */
export function eventHolder({ history, name, options }: BusEngine): EventHolder {
  const everyNth = (step: number): readonly BaseEvent[] =>
    history.size >= history.openSize
      ? history.everyNth(step)
      : history
          .open()
          .filter((_, i) => i % step === 0)
          .map(({ event }) => event);
  return { name, logger: options.logger, size: Math.max(history.size, history.openSize), everyNth };
}
