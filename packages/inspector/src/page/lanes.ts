import type { CallRecord, EventRecord } from '../basics/records.ts';
import { drawing, element, fill, time } from './dom.ts';
import { beginOf } from './filter.ts';

/** One call on its lane. */
interface Bar {
  readonly type: string;
  readonly call: CallRecord;
}

interface Lane {
  readonly name: string;
  readonly bars: readonly Bar[];
}

/** Pixels of a row of a lane, and rows at most: what overlaps more than that is drawn over. */
const rowHeight = 20;
const mostRows = 8;

/** Shows who did what when: a lane for each thread, a bar for each call, pale while it waited. */
export function showLanes(parent: Element, events: readonly EventRecord[], mainPid: number): void {
  const lanes = lanesOf(events, mainPid);
  const [from, to] = spanOf(events);
  const rows = lanes.map(({ name, bars }) => {
    const canvas = element('canvas', { 'aria-hidden': 'true' });
    const placed = inRows(bars);
    canvas.style.height = `${Math.min(mostRows, placed.rows) * rowHeight + 4}px`;
    const isLost = bars.some(({ call }) => call.status === 'lost');
    const attributes = { class: 'lane', 'data-calls': String(bars.length), 'data-lost': String(isLost) };
    return { row: element('div', attributes, element('span', { title: name }, name), canvas), canvas, placed };
  });
  const scale = element('p', { class: 'quiet' }, `0 to ${time(to - from)}`);
  fill(parent, [...rows.map(({ row }) => row), lanes.length > 0 ? scale : null]);
  for (const { canvas, placed } of rows) draw(canvas, placed, from, to);
}

function lanesOf(events: readonly EventRecord[], mainPid: number): Lane[] {
  const lanes = new Map<string, Bar[]>();
  for (const { type, calls } of events) {
    for (const call of calls) {
      const name = placeName(call, mainPid);
      const bars = lanes.get(name) ?? [];
      bars.push({ type, call });
      lanes.set(name, bars);
    }
  }
  return [...lanes.entries()]
    .map(([name, bars]) => ({ name, bars }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** `main`, `thread 3`, `pid 4711`: where a call runs. */
export function placeName({ thread, pid }: CallRecord, mainPid: number): string {
  if (thread === null) return 'waiting for a thread';
  const where = thread === 0 ? 'main' : `thread ${thread}`;
  if (pid === null || pid === mainPid) return where;
  return thread === 0 ? `pid ${pid}` : `pid ${pid} ${where}`;
}

function spanOf(events: readonly EventRecord[]): [number, number] {
  const from = Math.min(...events.map((event) => beginOf(event) ?? Infinity));
  const ends = events.flatMap(({ done, calls }) => [done ?? Date.now(), ...calls.map(({ ended }) => ended ?? 0)]);
  const start = Number.isFinite(from) ? from : Date.now();
  return [start, Math.max(start + 0.1, ...ends)];
}

interface PlacedBar extends Bar {
  readonly row: number;
}

/** Calls that run at the same time, as one that awaits another does, are drawn below each other. */
function inRows(bars: readonly Bar[]): { readonly rows: number; readonly bars: readonly PlacedBar[] } {
  const ends: number[] = [];
  const begin = ({ call: { called, started } }: Bar): number => called ?? started ?? Infinity;
  const placed = [...bars]
    .sort((a, b) => begin(a) - begin(b))
    .map((bar) => {
      const free = ends.findIndex((end) => end <= begin(bar));
      const row = free < 0 ? ends.length : free;
      ends[row] = bar.call.ended ?? Infinity;
      return { ...bar, row: Math.min(row, mostRows - 1) };
    });
  return { rows: Math.max(1, ends.length), bars: placed };
}

function draw(canvas: HTMLCanvasElement, { bars }: ReturnType<typeof inRows>, from: number, to: number): void {
  const on = drawing(canvas);
  if (on === null) return;
  const { pen, width, color } = on;
  const at = (moment: number): number => ((moment - from) / (to - from)) * width;
  pen.font = '11px system-ui, sans-serif';
  pen.textBaseline = 'middle';
  for (const { type, call, row } of bars) {
    const { called, started, ended, status, handler } = call;
    const end = ended ?? Date.now();
    const top = row * rowHeight + 2;
    if (called !== null) {
      pen.fillStyle = color('wait');
      pen.fillRect(at(called), top + 5, Math.max(1, at(started ?? end) - at(called)), rowHeight - 12);
    }
    if (started === null) continue;
    const left = at(started);
    const wide = Math.max(2, at(end) - left);
    pen.fillStyle = color(status === 'error' || status === 'lost' ? 'bad' : 'run');
    pen.fillRect(left, top, wide, rowHeight - 2);
    if (status === 'lost') {
      // Its thread ended in the middle.
      pen.fillStyle = color('text');
      pen.fillRect(left + wide - 2, top - 2, 2, rowHeight + 2);
    }
    const label = `${type} ${handler}`;
    if (pen.measureText(label).width < wide - 6) {
      pen.fillStyle = color('back');
      pen.fillText(label, left + 3, top + rowHeight / 2 - 1);
    }
  }
}
