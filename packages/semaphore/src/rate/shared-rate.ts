import { SemaphoreLimitError, SemaphoreUnavailableError } from '../basics/errors.ts';
import { nameHash } from '../basics/semaphore-directory.ts';
import { findCell, isCurrent, type Cell } from '../shared/shared-cells.ts';
import { CELL_HEADER, SLOTS_AT } from '../shared/shared-layout.ts';
import type { SharedMemory } from '../shared/shared-memory.ts';
import { noRoom, SharedSlots } from '../shared/shared-slots.ts';
import { currentState } from '../shared/shared-state.ts';
import { machineTime } from '../basics/machine-time.ts';
import { rateConflict, RateLimit, type Rate, type RateRecord } from './rate-limit.ts';

/**
 * A rate that all threads of the process share.
 *
 * @param key what it is shared by: the same in every thread
 */
export function sharedRate(name: string, key: string, rate: Rate): RateLimit {
  return new RateLimit(rate, new SharedSlots(name, `gate ${key}`, 1), new SharedRecord(name, `rate ${key}`, rate));
}

/** A ring of starts in a cell of the shared memory; see shared-layout.ts. A start counts from the store of its time on. */
class SharedRecord implements RateRecord {
  readonly isForgettable = true;
  readonly #name: string;
  readonly #key: string;
  readonly #rate: Rate;

  constructor(name: string, key: string, rate: Rate) {
    this.#name = name;
    this.#key = key;
    this.#rate = rate;
  }

  begin(): void {
    const { memory, cell } = this.#open();
    const { words, numbers } = memory;
    const last = ((words[cell.at + 6] ?? 0) + cell.limit - 1) % cell.limit;
    const now = machineTime();
    numbers[(cell.at + CELL_HEADER) / 2 + 1] = now;
    numbers[(cell.at + SLOTS_AT) / 2 + last] = now;
  }

  enter(): number {
    for (;;) {
      const { memory, cell } = this.#open();
      const { words, numbers } = memory;
      const head = (cell.at + CELL_HEADER) / 2;
      const intervalUs = this.#rate.interval * 1e6;
      const known = numbers[head] ?? 0;
      if (known !== 0 && known !== intervalUs) throw this.#conflict({ limit: cell.limit, interval: known / 1e6 });
      numbers[head] = intervalUs;
      const index = words[cell.at + 6] ?? 0;
      const at = (cell.at + SLOTS_AT) / 2 + index;
      // A memory that was lost with its threads may have had starts until this one was made.
      const oldest = (numbers[at] ?? 0) || memory.lostBefore;
      const now = machineTime();
      if (oldest !== 0 && oldest + intervalUs > now) return (oldest + intervalUs - now) / 1e6;
      memory.countsRates();
      numbers[head + 1] = now;
      numbers[at] = now;
      Atomics.store(words, cell.at + 6, (index + 1) % cell.limit);
      // The name had not been used for long, and its cell went to another one meanwhile.
      if (isCurrent(memory, cell)) return 0;
    }
  }

  #open(): { memory: SharedMemory; cell: Cell } {
    const memory = currentState(this.#name)?.memory;
    // Whoever has the gate has the state.
    if (memory === undefined)
      throw new SemaphoreUnavailableError(this.#name, 'expected the shared state of this process.');
    const { limit } = this.#rate;
    const cell = findCell(memory, nameHash(this.#key), limit, 'rate');
    if (cell === undefined) throw new SemaphoreUnavailableError(this.#name, noRoom(limit));
    if (cell.limit === limit) return { memory, cell };
    const interval = (memory.numbers[(cell.at + CELL_HEADER) / 2] ?? 0) / 1e6;
    throw this.#conflict({ limit: cell.limit, interval });
  }

  #conflict(existing: Rate): SemaphoreLimitError {
    const problem = rateConflict(this.#name, this.#rate, existing);
    return new SemaphoreLimitError(this.#name, this.#rate.limit, existing.limit, problem);
  }
}
