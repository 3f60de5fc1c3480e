import type { Numbers } from '../basics/messages.ts';

/** The numbers of a thread as text, for `watch curl`: what waits first. */
export function topText({ buses, more, links, pools }: Numbers, pid: number): string {
  const lines = [
    `threadbus, pid ${pid}: ${buses.length + more} buses, ${links.length} in threads, ${pools.length} pools`,
    '',
  ];
  const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): void => {
    if (rows.length === 0) return;
    const all = [head, ...rows.map((row) => row.map(String))];
    const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
    for (const row of all) {
      const cells = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)));
      lines.push(cells.join('  ').trimEnd());
    }
    lines.push('');
  };
  table(
    ['bus', 'queued', 'in progress', 'waiting for threads', 'completed', 'failed', 'timed out'],
    [...buses]
      .sort((a, b) => b.queued - a.queued)
      .map((bus) => [
        printable(bus.name),
        bus.queued,
        bus.inProgress,
        bus.waitingForThreads,
        bus.completed,
        bus.failed,
        bus.timedOut,
      ]),
  );
  table(
    ['in a thread', 'thread', 'in flight', 'waiting', 'completed', 'failed', 'restarts', 'p50 ms', 'p99 ms'],
    links.map((link) => [
      printable(link.name),
      link.threadId === 0 ? `pid ${link.pid}` : link.threadId,
      link.inFlight,
      link.waiting,
      link.completed,
      link.failed,
      link.restarts,
      milliseconds(link.roundTrip?.p50),
      milliseconds(link.roundTrip?.p99),
    ]),
  );
  table(
    [
      'pool',
      'threads',
      'running',
      'awaiting',
      'waiting',
      'completed',
      'failed',
      'crashed',
      'wait p99 ms',
      'run p99 ms',
    ],
    pools.map((pool, at) => [
      at + 1,
      pool.threads,
      pool.running,
      pool.awaiting,
      pool.waiting,
      pool.completed,
      pool.failed,
      pool.crashed,
      milliseconds(pool.waitTime?.p99),
      milliseconds(pool.runTime?.p99),
    ]),
  );
  return lines.join('\n');
}

function milliseconds(seconds: number | undefined): string {
  return seconds === undefined ? '-' : (seconds * 1000).toFixed(1);
}

/** For a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?');
}
