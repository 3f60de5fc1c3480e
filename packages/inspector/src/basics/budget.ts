import { Sampling } from './sampling.ts';

/** What may be left over, of a second's records; and what of that must be left for one more tree, so that its children find something. */
const forLater = 0.625;
const forTree = 0.2;
/** Share of the records that errors and slow handlers of events that aren't shown may take. */
const forTrouble = 0.5;

/**
 * Milliseconds of each second that may go into what is shown, and a share of those in which the thread has nothing to do:
 * time that nobody misses. And what may be left over of both.
 */
const busyTime = 80;
const shareOfIdle = 0.5;
const timeForLater = 100;

/**
 * How many records may be sent: so many a second, of which half a second's worth may come at once.
 *
 * There are two counts, both refilled at that rate. What is *picked* pays as it is: each change that is to be told costs
 * one, on credit where an event is shown already, and nothing new is picked before that is paid back. What is *sent* is
 * taken when it is, and never on credit: so the rate holds whatever happens, and what waits is little, since it has been
 * picked within the rate. A record of many calls counts as several: what is told costs the program time by its length.
 *
 * What is made for them is timed, too. A thread that is at work all the time gives so much of it and no more, on a machine
 * that has little time as well: nothing new is picked before that is paid back. So recording can't be what keeps a thread
 * from more events than can be recorded.
 *
 * Whole trees are picked, where they begin: every one as long as all of them together stay within the rate, one in so
 * many beyond (`Sampling`), and whatever comes, none once four fifths of the count, or all of the time, are spent.
 */
export class Budget {
  /** For one that belongs to a tree that is shown. */
  roomForChild = true;
  readonly #sampling = new Sampling();
  #most: number;
  #left: number;
  #sendable: number;
  #trouble: number;
  #spent = 0;
  #time = timeForLater;
  #timeSpent = 0;
  #roomForTree = true;

  constructor(records: number) {
    this.#most = Math.max(1, records);
    this.#left = this.#most * forLater;
    this.#sendable = this.#most / 2;
    this.#trouble = this.#most * forTrouble;
    this.#weigh();
  }

  /** Records a second; as much of it is left as was before. */
  set(records: number): void {
    const most = Math.max(1, records);
    const by = most / this.#most;
    this.#left *= by;
    this.#sendable *= by;
    this.#trouble *= by;
    this.#most = most;
    this.#weigh();
  }

  /** So many seconds have passed, of which the thread was idle for so many. */
  refill(seconds: number, idle: number): void {
    const more = this.#most * seconds;
    this.#left = Math.min(this.#most * forLater, this.#left + more);
    this.#sendable = Math.min(Math.max(1, this.#most / 2), this.#sendable + more);
    this.#trouble = Math.min(Math.max(1, this.#most * forTrouble), this.#trouble + more * forTrouble);
    const time = busyTime * seconds + shareOfIdle * idle * 1000;
    this.#time = Math.min(timeForLater, this.#time + time);
    const used = Math.max(this.#spent / this.#most, (this.#timeSpent / time) * seconds);
    this.#sampling.adapt(seconds, used, 1 / this.#most);
    this.#spent = 0;
    this.#timeSpent = 0;
    this.#weigh();
  }

  /** A tree begins. @returns whether it is shown */
  takeTree(): boolean {
    return this.#sampling.isNext(this.#roomForTree);
  }

  /** Something went wrong with an event that isn't shown. @returns whether it is now */
  takeTrouble(): boolean {
    if (this.#trouble < 1) return false;
    this.#trouble -= 1;
    return true;
  }

  /** Something is to be told of an event that is shown. */
  spend(weight = 1): void {
    this.#left -= weight;
    this.#spent += weight;
    this.#weigh();
  }

  /** Milliseconds that something took which is done for what is shown. */
  took(time: number): void {
    this.#time -= time;
    this.#timeSpent += time;
    this.#weigh();
  }

  /** A record is sent. @returns false if none may be */
  send(weight = 1): boolean {
    if (this.#sendable < 1) return false;
    this.#sendable -= weight;
    return true;
  }

  #weigh(): void {
    this.#roomForTree = this.#time > 0 && this.#left >= this.#most * forLater * forTree;
    this.roomForChild = this.#left >= 1;
  }
}
