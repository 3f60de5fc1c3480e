import type { Row } from './scenario.ts';

/** What a column of certain rows should reach. */
interface Goal {
  readonly load: string;
  /** Only the row of this peer; without it every row of the load. */
  readonly peer?: string;
  readonly column: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

const atLeast = (load: string, column: string, limit: number, peer?: string): Goal => ({
  load,
  column,
  atLeast: limit,
  ...(peer !== undefined && { peer }),
});
const atMost = (load: string, column: string, limit: number, peer?: string): Goal => ({
  load,
  column,
  atMost: limit,
  ...(peer !== undefined && { peer }),
});

const fast = '× as fast';
const much = '× as much';

/** By scenario. Goals are for full runs on Node 20; what is not listed is reported only. */
const goals: Readonly<Record<string, readonly Goal[]>> = {
  abxbus: [
    atLeast('50k events × 1 handler', fast, 50),
    atLeast('500 buses × 100 events', fast, 30),
    atLeast('1 event × 50k parallel handlers', fast, 30),
    atLeast('50k one-off handlers', fast, 30),
    atLeast('worst case, 50 at a time', fast, 20),
  ],
  nats: [
    atLeast('one after another', fast, 0.77, 'NATS request'),
    atLeast('512 in flight', fast, 3, 'NATS request'),
    atLeast('512 in flight', fast, 3, 'Moleculer'),
  ],
  queue: ['one after another', '256 in flight'].map((load) => atLeast(load, fast, 1, 'BullMQ')),
  awaited: [atLeast('1 sync handler', fast, 1, 'emittery')],
  wal: [
    atMost('WAL on', much, 1.3),
    ...['in turn', '512 at once'].map((manner) =>
      atMost(`what a log adds to an event, ${manner}`, much, 1.5, 'sonic-boom'),
    ),
    atLeast('walSync, 512 in flight', fast, 1),
    atMost('reading 1M lines', much, 1.3),
  ],
  'core-growth': [
    '1M events',
    '500 buses',
    "10k other events' handlers",
    '10k handlers of the event',
    'queue of 100k',
  ].map((load) => atMost(load, much, 1.2)),
  memory: [
    atMost('peak RSS per event in flight', much, 0.5),
    atMost('retained per event in history', much, 0.5),
    atMost('retained per idle bus', much, 0.5),
    atMost('retained per handler', much, 0.5),
    atMost('heap growth, 250k to 2M events', 'threadbus', 1),
  ],
  start: [
    atMost('import core, zod loaded', 'threadbus', 15, 'abxbus, zod loaded'),
    atMost('WorkerBus.start', much, 1.3),
  ],
  bundle: [
    atMost('@threadbus/core', 'min + gzip, kB', 24),
    atMost('@threadbus/worker', 'min + gzip, kB', 10),
    atMost('@threadbus/semaphore', 'min + gzip, kB', 6),
  ],
  threads: [
    ...['burst 512, 300 B', 'sliding 512, 300 B'].flatMap((load) => [
      atLeast(load, fast, 2, 'piscina.run'),
      atLeast(load, fast, 2, 'comlink'),
      atLeast(load, fast, 1, 'raw id map'),
    ]),
    ...['sequential, 300 B', 'sequential, 300 B, on one core'].map((load) => atLeast(load, fast, 0.85, 'raw id map')),
    atLeast('1 MB moved, 4 at a time', fast, 15, 'threadbus, cloned'),
    atLeast('1 MB moved, 4 at a time', fast, 0.8, 'raw id map'),
    atLeast('CPU-heavy handlers, 2 threads', fast, 1.8),
    atMost('longest stall of main meanwhile', 'threadbus', 10),
  ],
  processes: [
    atLeast('burst 512, 300 B', fast, 1, 'raw IPC id map'),
    atLeast('sequential, 300 B', fast, 0.8, 'raw IPC id map'),
    ...['burst 512, 300 B', 'sequential, 300 B'].flatMap((load) => [
      atLeast(load, fast, 1, 'tinypool, process'),
      atLeast(load, fast, 1, 'workerpool, process'),
    ]),
    atMost('start', much, 1.3, 'bare fork'),
  ],
  cpu: [
    atLeast('arithmetic, 2 threads', fast, 1.8, 'threadbus, 1 thread'),
    atLeast('arithmetic, 2 threads', fast, 1, 'piscina'),
    ...['in turn', '512 in flight'].flatMap((manner) => [
      atLeast(`empty call, ${manner}`, fast, 1, 'piscina'),
      atLeast(`empty call, ${manner}`, fast, 1, 'piscina, 512 in a thread'),
    ]),
    atMost('longest stall of main', 'threadbus', 10, 'piscina'),
  ],
};

/** The rows with their goals and whether they are met, then a row for each goal that no row answers. */
export function judge(scenario: string, rows: readonly Row[]): readonly Row[] {
  const own = goals[scenario] ?? [];
  const judged = rows.map((row) => {
    const asked = own.filter((goal) => answers(row, goal));
    if (asked.length === 0) return row;
    const met = asked.map((goal) => (isMet(row, goal) ? 'met' : 'missed'));
    return { ...row, goal: asked.map(describe).join('; '), met: met.join('; ') };
  });
  const open = own.filter((goal) => !rows.some((row) => answers(row, goal)));
  return [...judged, ...open.map((goal) => ({ load: goal.load, goal: describe(goal), met: 'not measured' }))];
}

function answers(row: Row, { load, peer, column }: Goal): boolean {
  return row['load'] === load && column in row && (peer === undefined || row['peer'] === peer);
}

function isMet(row: Row, { column, atLeast: least = -Infinity, atMost: most = Infinity }: Goal): boolean {
  const value = Number(row[column]);
  return value >= least && value <= most;
}

function describe({ column, atLeast: least, atMost: most }: Goal): string {
  return least === undefined ? `${column} ≤ ${most}` : `${column} ≥ ${least}`;
}
