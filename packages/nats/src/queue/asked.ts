import type { Timer } from '@threadbus/core/internal';

interface Question {
  readonly line: number;
  /** Events that it may still bring. */
  left: number;
  readonly lost: Timer;
}

/** Requests for events that are under way, each to one line. */
export class Asked {
  readonly #all = new Map<string, Question>();

  get size(): number {
    return this.#all.size;
  }

  /** Events that may still come. */
  get left(): number {
    let sum = 0;
    for (const { left } of this.#all.values()) sum += left;
    return sum;
  }

  isOut(line: number): boolean {
    for (const asked of this.#all.values()) if (asked.line === line) return true;
    return false;
  }

  /** @param lost ends it, if no answer comes */
  add(token: string, line: number, left: number, lost: Timer): void {
    this.#all.set(token, { line, left, lost });
  }

  /** An event of the line came: it isn't known for which of its requests. */
  came(line: number): void {
    for (const [token, asked] of this.#all) {
      if (asked.line !== line) continue;
      asked.left -= 1;
      if (asked.left === 0) this.take(token);
      return;
    }
  }

  /** It brings no more. @returns whether it was under way */
  take(token: string): boolean {
    this.#all.get(token)?.lost.cancel();
    return this.#all.delete(token);
  }

  clear(): void {
    for (const { lost } of this.#all.values()) lost.cancel();
    this.#all.clear();
  }
}
