/**
 * Where a thread, or a process, shows what it works on, so that the other side can see it when it can't answer any more:
 * which of the events sent to it have started, and which handler it is running since when.
 *
 * A board must outlive whoever writes it, and writing must not wait for anybody. Threads share memory for it
 * (`shared-board`), processes a file (`board-file`). An event's slot is its number on the link, while it has one. Each
 * thread has a board of its own.
 */
export const slotCount = 4096;

/** The handler that a thread is running, or the last of several that must overrun before one of them surely has. */
export interface Holder {
  /** Differs from that of every other holder. */
  readonly token: number;
  /** Slot of the event, or of the event from which it descends; -1 = none. */
  readonly slot: number;
  /** How the handler's event is related to that of the slot. */
  readonly kind: HolderKind;
  /** Monotonic milliseconds: of a clock that nobody sets and that both sides share. */
  readonly startedAt: number;
  /** Seconds; 0 = none. */
  readonly timeout: number;
}

/**
 * The holder's event is the one in the slot; or a descendant that is awaited for it; or one that goes on without it; or
 * several handlers are in progress and any of them may be the one that blocks.
 */
export type HolderKind = 'own' | 'awaited' | 'other' | 'several';

export const holderKinds: readonly HolderKind[] = ['own', 'awaited', 'other', 'several'];

/** What a slot holds: nothing has started for the event, or something has, or a handler of it runs. */
export const slotFree = 0;
export const slotStarted = 1;
export const slotRunning = 2;

/** There are no slots for more events than that. */
export function hasSlot(slot: number): boolean {
  return slot >= 0 && slot < slotCount;
}

/** The side that sends events to the thread. */
export interface BoardReader {
  /** The slot is to be used for another event. */
  clear(slot: number): void;
  /** An event for which there is no slot is taken for one that may have. */
  hasStarted(slot: number): boolean;
  /** A handler of the event is in progress and doesn't await another event. */
  isRunning(slot: number): boolean;
  /** Events in progress in the thread that were dispatched there. */
  readonly born: number;
  /** Tells the thread whether someone looks at the board; if nobody does, it says so when it starts a handler. */
  setWatched(watched: boolean): void;
  holder(): Holder | null;
}

/** The thread's side. */
export interface BoardWriter {
  markStarted(slot: number): void;
  /** What runs has started, too. Shown at the latest with the `hold` or `release` that follows at once. */
  markRunning(slot: number, isRunning: boolean): void;
  addBorn(count: 1 | -1): void;
  /**
   * @returns whether someone watches; asked after `hold`, so that one of both sides always notices the other. Who has an
   *   event here that isn't answered watches.
   */
  hold(slot: number, kind: HolderKind, startedAt: number, timeout: number): boolean;
  release(): void;
}
