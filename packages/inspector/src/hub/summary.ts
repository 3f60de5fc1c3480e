import type { HandlerTimes, Summary } from '../basics/batch.ts';
import type { EventRecord } from '../basics/records.ts';

const mostHandlers = 12;
const mostEdges = 40;

export function summarize(records: Iterable<EventRecord>): Summary {
  const times = new Map<
    string,
    { of: Pick<HandlerTimes, 'type' | 'handler' | 'bus'>; all: number[]; failed: number }
  >();
  const edges = new Map<string, { from: string; to: string; type: string; events: number }>();
  const count = (from: string, to: string, type: string): void => {
    const key = `${from} ${to} ${type}`;
    const edge = edges.get(key);
    if (edge === undefined) edges.set(key, { from, to, type, events: 1 });
    else edge.events += 1;
  };
  for (const { type, path, calls } of records) {
    for (let at = 1; at < path.length; at += 1) count(path[at - 1] as string, path[at] as string, type);
    for (const { handler, bus, called, started, ended, status } of calls) {
      if (called !== null) count(bus, `${handler} (pool)`, type);
      if (started === null || ended === null) continue;
      const key = `${type} ${bus} ${handler}`;
      const entry = times.get(key) ?? { of: { type, handler, bus }, all: [], failed: 0 };
      times.set(key, entry);
      entry.all.push(Math.max(0, ended - started));
      if (status === 'error' || status === 'lost') entry.failed += 1;
    }
  }
  const slowest = [...times.values()].map(({ of, all, failed }) => {
    all.sort((a, b) => a - b);
    return { ...of, calls: all.length, failed, p50: quantile(all, 0.5), p95: quantile(all, 0.95) };
  });
  return {
    slowest: slowest.sort((a, b) => b.p95 - a.p95).slice(0, mostHandlers),
    edges: [...edges.values()].sort((a, b) => b.events - a.events).slice(0, mostEdges),
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
