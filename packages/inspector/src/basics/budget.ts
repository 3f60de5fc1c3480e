/** Shares of the budget that must be left for each kind of event to be picked. */
const forTree = 0.5;
const forStray = 0.75;

/**
 * How many records may be sent: so many a second, of which half may come at once.
 *
 * There are two counts, both refilled at that rate. What is *picked* pays as it is: each change that is to be told costs
 * one, on credit where an event is shown already, and nothing new is picked before that is paid back. What is *sent* is
 * taken when it is, and never on credit: so the rate holds whatever happens, and what waits is little, since it has been
 * picked within the rate.
 *
 * Who is picked depends on what is left. Whole trees come first: an event that begins one is taken only while half is
 * left, so that its children find something; one whose root nobody has taken (because it was dispatched before anybody
 * looked) while three quarters are. Errors and slow handlers have a tenth of their own. To ask costs a comparison.
 */
export class Budget {
  roomForTree = true;
  roomForStray = true;
  /** For one that belongs to a tree that is shown. */
  roomForChild = true;
  #most: number;
  #left: number;
  #sendable: number;
  #trouble: number;

  constructor(records: number) {
    this.#most = Math.max(1, records / 2);
    this.#left = this.#most;
    this.#sendable = this.#most;
    this.#trouble = this.#most / 10;
    this.#weigh();
  }

  get roomForTrouble(): boolean {
    return this.#trouble >= 1;
  }

  /** Records a second; as much of it is left as was before. */
  set(records: number): void {
    const most = Math.max(1, records / 2);
    const by = most / this.#most;
    this.#left *= by;
    this.#sendable *= by;
    this.#trouble *= by;
    this.#most = most;
    this.#weigh();
  }

  /** So many seconds have passed. */
  refill(seconds: number): void {
    const more = this.#most * 2 * seconds;
    this.#left = Math.min(this.#most, this.#left + more);
    this.#sendable = Math.min(this.#most, this.#sendable + more);
    this.#trouble = Math.min(Math.max(1, this.#most / 10), this.#trouble + more / 10);
    this.#weigh();
  }

  /** Something is to be told of an event that is shown. */
  spend(): void {
    this.#left -= 1;
    this.#weigh();
  }

  /** An event is shown because something went wrong with it. */
  spendTrouble(): void {
    this.#trouble -= 1;
  }

  /** A record is sent. @returns false if none may be */
  send(): boolean {
    if (this.#sendable < 1) return false;
    this.#sendable -= 1;
    return true;
  }

  #weigh(): void {
    this.roomForTree = this.#left >= this.#most * forTree;
    this.roomForStray = this.#left >= this.#most * forStray;
    this.roomForChild = this.#left >= 1;
  }
}
