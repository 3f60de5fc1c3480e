import type { BaseEvent } from '@threadbus/core';

/** The part of a bus's `logTree()` that begins with this event; null if the event isn't in it. */
export function sampleTree(tree: string, { event_type, event_id }: BaseEvent): string | null {
  const lines = tree.split('\n');
  const isRoot = (line: string): boolean => /^[├└]── /.test(line);
  const first = lines.findIndex((line) => isRoot(line) && line.includes(` ${event_type}#${event_id.slice(-4)} `));
  if (first === -1) return null;
  const end = lines.findIndex((line, i) => i > first && isRoot(line));
  // A root of its own: without the line that led on to the next one.
  const below = lines.slice(first + 1, end === -1 ? undefined : end).map((line) => `    ${line.slice(4)}`);
  return [`└── ${lines[first]?.slice(4)}`, ...below].join('\n');
}
