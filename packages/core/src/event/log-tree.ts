import { inspect } from 'node:util';
import { describe, errorText } from '../basics/describe.ts';
import type { BaseEvent } from './base-event.ts';
import type { EventResult } from './event-result.ts';
import { ResultHelpers } from './result-helpers.ts';

type Node = { readonly event: BaseEvent } | { readonly result: EventResult<unknown, BaseEvent> };
interface Item {
  readonly node: Node;
  readonly indent: string;
  readonly last: boolean;
}

const icons = { pending: '⏳', started: '🏃', completed: '✅', error: '❌' } as const;

/**
 * The events as a tree: each event, under it its handlers in the order in which they started, under each handler the
 * events that it dispatched. An event whose parent is not among `events` is a root. The format is bubus's.
 */
export function logTree(events: readonly BaseEvent[]): string {
  const known = new Map(events.map((event) => [event.event_id, event]));
  const dispatched = below(events, ({ event_children }) => event_children);
  const orphans = childrenByParent(events, known, dispatched);
  const isRoot = ({ event_id, event_parent_id }: BaseEvent): boolean =>
    !dispatched.has(event_id) && (event_parent_id === null || !known.has(event_parent_id));
  const roots = events.filter(isRoot);
  roots.sort((a, b) => a.event_created_at.localeCompare(b.event_created_at));
  const childrenOf = (event: BaseEvent): readonly BaseEvent[] => [
    ...event.event_children,
    ...(orphans.get(event.event_id) ?? []),
  ];
  const placed = below(roots, childrenOf);
  for (const { event_id } of roots) placed.add(event_id);
  // What a cycle of parent ids has kept from being anyone's child is shown as a root after all.
  for (const event of events) {
    if (placed.has(event.event_id)) continue;
    roots.push(event);
    for (const id of below([event], childrenOf)) placed.add(id);
    placed.add(event.event_id);
  }
  const lines = drawAll(roots, orphans, new Set());
  return lines.length === 0 ? '(No events in history)' : lines.join('\n');
}

/** The ids of all that is reached from the events; they themselves are not unless something leads back to them. */
function below(events: readonly BaseEvent[], next: (event: BaseEvent) => readonly BaseEvent[]): Set<string> {
  const ids = new Set<string>();
  const stack = [...events];
  for (let event = stack.pop(); event !== undefined; event = stack.pop()) {
    for (const child of next(event)) {
      if (ids.has(child.event_id)) continue;
      ids.add(child.event_id);
      stack.push(child);
    }
  }
  return ids;
}

function drawAll(roots: readonly BaseEvent[], orphans: Map<string, BaseEvent[]>, shown: Set<string>): string[] {
  const lines: string[] = [];
  const stack = stacked(
    roots.map((event) => ({ event })),
    '',
  );
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { node, indent, last } = item;
    if ('event' in node) {
      if (shown.has(node.event.event_id)) continue;
      shown.add(node.event.event_id);
    }
    lines.push(
      `${indent}${last ? '└── ' : '├── '}${'event' in node ? eventText(node.event) : resultText(node.result)}`,
    );
    const parts =
      'event' in node ? partsOf(node.event, orphans) : node.result.event_children.map((event) => ({ event }));
    const unseen = parts.filter((part) => !('event' in part) || !shown.has(part.event.event_id));
    stack.push(...stacked(unseen, `${indent}${last ? '    ' : '│   '}`));
  }
  return lines;
}

/** Siblings, the first of them on top of the stack. */
function stacked(nodes: readonly Node[], indent: string): Item[] {
  return nodes.map((node, i): Item => ({ node, indent, last: i === nodes.length - 1 })).reverse();
}

/** Events by the id of a parent that didn't dispatch them from a handler, as far as it can be seen. */
function childrenByParent(
  events: readonly BaseEvent[],
  known: ReadonlyMap<string, BaseEvent>,
  dispatched: ReadonlySet<string>,
): Map<string, BaseEvent[]> {
  const byParent = new Map<string, BaseEvent[]>();
  for (const event of events) {
    const { event_id, event_parent_id } = event;
    if (event_parent_id === null || !known.has(event_parent_id) || dispatched.has(event_id)) continue;
    const siblings = byParent.get(event_parent_id);
    if (siblings === undefined) byParent.set(event_parent_id, [event]);
    else siblings.push(event);
  }
  return byParent;
}

function partsOf(event: BaseEvent, orphans: Map<string, BaseEvent[]>): Node[] {
  const results = [...event.event_results.values()];
  results.sort((a, b) => (a.started_at ?? '~').localeCompare(b.started_at ?? '~'));
  const others = orphans.get(event.event_id) ?? [];
  return [...results.map((result) => ({ result })), ...others.map((child) => ({ event: child }))];
}

function eventText(event: BaseEvent): string {
  const { event_created_at, event_completed_at } = event;
  const head = `${icons[event.event_status]} ${event.event_type}#${event.event_id.slice(-4)}`;
  return `${head} [${timeText(event_created_at, event_completed_at)}]`;
}

function resultText(result: EventResult<unknown, BaseEvent>): string {
  const head = `${icons[result.status]} ${result.eventbus_name}.${result.handler_name}#${result.handler_id.slice(-4)}`;
  const time = result.started_at === null ? '' : ` [${timeText(result.started_at, result.completed_at)}]`;
  if (result.status === 'error') return `${head}${time} ☠️ ${lineOf(result.error)}`;
  return result.status === 'completed' ? `${head}${time} → ${valueText(result.result)}` : `${head}${time}`;
}

function timeText(from: string, to: string | null): string {
  const clock = from.slice(11, 23);
  return to === null ? clock : `${clock} (${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(3)}s)`;
}

function lineOf(error: unknown): string {
  return errorText(error).replaceAll(/\s*\n\s*/g, ' ');
}

function valueText(value: unknown): string {
  try {
    return readableText(value);
  } catch {
    return describe(value);
  }
}

function readableText(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'function') return 'Function(...)';
  if (typeof value !== 'object') return inspect(value, { breakLength: Infinity });
  if (Array.isArray(value)) return `list(${value.length} items)`;
  if (value instanceof ResultHelpers) {
    const { event_type, event_id } = value as unknown as BaseEvent;
    return `Event(${event_type}#${event_id.slice(-4)})`;
  }
  const { name = 'Object' } = (value.constructor as { name?: string } | undefined) ?? {};
  return name === 'Object' ? `dict(${Object.keys(value).length} items)` : `${name}(...)`;
}
