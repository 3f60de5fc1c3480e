import type { ReadLine } from './log-reader.ts';

/** Where an event's first line stands: its arrival, or an end that was a stop. */
interface Known {
  line: ReadLine | null;
  /** Lines that a compaction has carried along are older than all others of their file. */
  carried: boolean;
}

/**
 * Which events have arrived and have no end, or whose end was the stop of a bus: told line by line, in order.
 *
 * An arrival opens its event, an end closes it, for good or until it arrives again. The end of a copy, on the far side
 * of a link, closes only what came over a link as well: the event itself ends later.
 */
export class Incomplete {
  readonly #known = new Map<string, Known>();

  /**
   * @param older the whole file is from before the others
   * @returns whether the line tells of an event
   */
  add(line: ReadLine, older = false): boolean {
    const document = line.document ?? {};
    const { event_id: id, event_status: status, event_completed_at: completed } = document;
    if (typeof id !== 'string') return false;
    const arrived = status === 'pending';
    // Logs of other programs have no status: what has a time of completion has ended.
    if (!arrived && (typeof completed !== 'string' || (status !== undefined && status !== 'completed'))) return false;
    const carried = older || document.event_carried === true;
    const known = this.#known.get(id);
    if (carried && known?.carried === false) return true;
    const open = known === undefined ? null : known.line;
    if (!arrived && document.event_copy === true && open !== null && open.document?.event_copy !== true) return true;
    this.#set(id, nextLine(line, open, arrived), carried);
    return true;
  }

  /** In the order of their arrival. */
  *lines(): IterableIterator<ReadLine> {
    for (const { line } of this.#known.values()) if (line !== null) yield line;
  }

  /** Whether the event is to be done; undefined if nothing tells of it. */
  state(id: string): boolean | undefined {
    const known = this.#known.get(id);
    return known === undefined ? undefined : known.line !== null;
  }

  /** Those that are to be done, as far as a compaction has brought them here. */
  *carriedIds(): IterableIterator<string> {
    for (const [id, { line, carried }] of this.#known) if (line !== null && carried) yield id;
  }

  #set(id: string, line: ReadLine | null, carried: boolean): void {
    const known = this.#known.get(id);
    if (known !== undefined && (known.line !== null || line === null)) {
      known.line = line;
      known.carried = carried;
      return;
    }
    // One that is opened again is where it was opened last.
    this.#known.delete(id);
    this.#known.set(id, { line, carried });
  }
}

/** The line that opens the event after this one; null if it is closed. */
function nextLine(line: ReadLine, open: ReadLine | null, arrived: boolean): ReadLine | null {
  if (arrived) return open ?? line;
  return line.document?.event_stopped === undefined ? null : (open ?? line);
}
