import type { BaseEvent } from '../event/base-event.ts';
import type { BusEngine } from './bus-engine.ts';
import { checkSize, checkWait } from '../basics/duration.ts';
import { checkAncestor, type FindOptions, matcherOf, pastEvents } from './find.ts';
import { checkFilter, checkOptions } from '../basics/options.ts';

/** Options of `filter`. */
export interface FilterOptions<E extends BaseEvent = BaseEvent> extends Pick<FindOptions<E>, 'childOf' | 'where'> {
  /** Only events created within so many seconds. @default all of the history */
  readonly past?: boolean | number | undefined;
  /** At most so many, the newest. @default all */
  readonly limit?: number | null | undefined;
}

/** All events of the bus's history that match, the newest first. */
export function filterEvents(engine: BusEngine, key: string, options: FilterOptions): BaseEvent[] {
  checkOptions('filter', options, ['where', 'past', 'childOf', 'limit']);
  const { past = true, childOf, where } = options;
  checkFilter('where', where);
  checkAncestor(childOf);
  const limit = checkSize('limit', options.limit ?? null) ?? Infinity;
  const seconds = typeof past === 'boolean' ? null : checkWait('past (seconds)', past);
  const found: BaseEvent[] = [];
  if (past === false || limit === 0) return found;
  for (const event of pastEvents(engine, seconds, matcherOf(engine, key, { childOf, where }))) {
    found.push(event);
    if (found.length >= limit) break;
  }
  return found;
}
