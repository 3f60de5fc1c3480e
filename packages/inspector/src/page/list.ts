import type { EventRecord } from '../basics/records.ts';
import { element, time } from './dom.ts';
import { durationOf, type State, stateOf } from './filter.ts';

/** Rows at a time: what is older is found with the filter. */
export const mostRows = 300;
const mostDepth = 12;

const marks: Record<State, string> = { running: '▸', succeeded: '✓', failed: '✗', cancelled: '⊘', lost: '✗' };

/** Rows by the id of their event, so that what hasn't changed isn't made again. */
const rows = new Map<string, { readonly event: EventRecord; readonly depth: number; readonly row: HTMLElement }>();

/** The rows of events, trees together, the newest tree first. @returns them, with their ids in order */
export function rowsOf(
  events: readonly EventRecord[],
  chosen: string | null,
): { readonly ids: readonly string[]; readonly elements: readonly HTMLElement[] } {
  const ids: string[] = [];
  const elements: HTMLElement[] = [];
  for (const { event, depth } of inOrder(events)) {
    ids.push(event.id);
    elements.push(rowOf(event, depth, event.id === chosen));
  }
  for (const id of rows.keys()) if (!ids.includes(id) && rows.size > 2 * mostRows) rows.delete(id);
  return { ids, elements };
}

function* inOrder(events: readonly EventRecord[]): Iterable<{ readonly event: EventRecord; readonly depth: number }> {
  const known = new Set(events.map(({ id }) => id));
  const below = new Map<string, EventRecord[]>();
  const roots: EventRecord[] = [];
  for (const event of events) {
    if (event.parent === null || !known.has(event.parent)) roots.push(event);
    else below.set(event.parent, [event, ...(below.get(event.parent) ?? [])]);
  }
  const visit = function* (event: EventRecord, depth: number): Iterable<{ event: EventRecord; depth: number }> {
    yield { event, depth };
    for (const child of below.get(event.id) ?? []) yield* visit(child, Math.min(depth + 1, mostDepth));
  };
  for (const root of roots) yield* visit(root, 0);
}

function rowOf(event: EventRecord, depth: number, isChosen: boolean): HTMLElement {
  const known = rows.get(event.id);
  const isCurrent = known !== undefined && known.event === event && known.depth === depth && event.done !== null;
  const row = isCurrent ? known.row : makeRow(event, depth);
  if (!isCurrent) rows.set(event.id, { event, depth, row });
  row.setAttribute('aria-selected', String(isChosen));
  return row;
}

function makeRow(event: EventRecord, depth: number): HTMLElement {
  const state = stateOf(event);
  const { id, type, path, bus } = event;
  const name = element('span', { class: 'type' }, type, ' ', element('span', { class: 'id' }, `#${id.slice(-4)}`));
  name.style.paddingLeft = `${depth * 14}px`;
  return element(
    'div',
    { class: `event ${state}`, role: 'option', id: `event-${id}`, 'data-id': id },
    element('span', { class: 'mark', role: 'img', 'aria-label': state, title: state }, marks[state]),
    name,
    element('span', {}, time(durationOf(event))),
    element('span', { class: 'where' }, (path.length > 0 ? path : [bus]).join('→')),
  );
}
