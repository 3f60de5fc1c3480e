/**
 * How many records may still be sent: so many a second, of which half may come at once.
 *
 * Who may take of it depends on how much there is. Whole trees come first: an event that begins one is taken only while
 * half is left, so that its children find something; one whose root nobody has taken (because it was dispatched before
 * anybody looked) while three quarters are; errors and slow handlers take the last. What is asked for is two comparisons.
 */
export class Budget {
  roomForTree = true;
  roomForStray = true;
  roomForTrouble = true;
  #most = 1;
  #left = 1;

  constructor(records: number) {
    this.set(records);
    this.#left = this.#most;
    this.#weigh();
  }

  /** Records a second; as much of it is left as was before. */
  set(records: number): void {
    const most = Math.max(1, records / 2);
    this.#left *= most / this.#most;
    this.#most = most;
    this.#weigh();
  }

  /** So many seconds have passed. */
  refill(seconds: number): void {
    this.#left = Math.min(this.#most, this.#left + this.#most * 2 * seconds);
    this.#weigh();
  }

  /** One is sent, or will be. @returns false if there is none left */
  take(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    this.#weigh();
    return true;
  }

  #weigh(): void {
    this.roomForTree = this.#left >= this.#most * 0.5;
    this.roomForStray = this.#left >= this.#most * 0.75;
    this.roomForTrouble = this.#left >= 1;
  }
}
