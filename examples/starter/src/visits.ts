// The handlers of the bus that counts visits. It gets its bus, so that a test can give it one of its own thread.
import type { EventBus } from '@threadbus/core';
import { GetVisits, Visited } from './events.js';
import { log } from './request-id.js';

export function registerVisits(bus: EventBus): void {
  const visits = new Map<string, number>();
  bus.on(Visited, function countVisit({ path }) {
    visits.set(path, (visits.get(path) ?? 0) + 1);
    log(`visited ${path}`);
  });
  bus.on(GetVisits, () => Object.fromEntries(visits));
}
