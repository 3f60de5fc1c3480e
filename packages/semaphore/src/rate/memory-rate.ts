import { MemorySlots } from '../memory/memory-slots.ts';
import { machineTime } from '../basics/machine-time.ts';
import { RateLimit, type Rate, type RateRecord } from './rate-limit.ts';

/** A rate in the memory of one thread. */
export function memoryRate(name: string, rate: Rate): RateLimit {
  return new RateLimit(rate, new MemorySlots(name, 1), new MemoryRecord(rate));
}

class MemoryRecord implements RateRecord {
  readonly #limit: number;
  readonly #intervalUs: number;
  // A ring once there are `limit` of them: what comes next is the oldest.
  readonly #starts: number[] = [];
  #next = 0;
  #newest = -Infinity;

  constructor({ limit, interval }: Rate) {
    this.#limit = limit;
    this.#intervalUs = interval * 1e6;
  }

  get isForgettable(): boolean {
    return this.#newest + this.#intervalUs <= machineTime();
  }

  begin(): void {
    this.#newest = machineTime();
    this.#starts[(this.#next + this.#limit - 1) % this.#limit] = this.#newest;
  }

  enter(): number {
    const now = machineTime();
    const oldest = this.#starts[this.#next];
    if (oldest !== undefined && oldest + this.#intervalUs > now) return (oldest + this.#intervalUs - now) / 1e6;
    this.#newest = now;
    this.#starts[this.#next] = now;
    this.#next = (this.#next + 1) % this.#limit;
    return 0;
  }
}
