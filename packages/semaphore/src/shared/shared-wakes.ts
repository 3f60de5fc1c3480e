import type { SharedState } from './shared-state.ts';

// A release wakes the thread whose turn it is, through its mailbox. What no one can announce, the death of a holder or
// a thread that does not react to its turn, is found by a look every so often.
const TICK_MS = 20;
const TICK_PER_RANK_MS = 10;
const LONGEST_TICK_MS = 250;

/** Someone who waits for a slot in shared memory. */
export interface Woken {
  woken(): void;
  tick(): void;
  /** How many calls come before. */
  rank(): number;
}

export interface WakeListener {
  stop(): void;
}

const listeners = new Set<Woken>();
let waiting = false;

/** Calls back at each wake of this thread, and at each tick, until stopped. Keeps the process alive meanwhile. */
export function listenForWakes(state: SharedState, listener: Woken): WakeListener {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const tick = Math.min(TICK_MS + TICK_PER_RANK_MS * listener.rank(), LONGEST_TICK_MS);
    timer = setTimeout(() => {
      arm();
      state.memory.turn(state.mailbox);
      listener.tick();
    }, tick);
  };
  listeners.add(listener);
  arm();
  void waitForWakes(state);
  return {
    stop: () => {
      listeners.delete(listener);
      clearTimeout(timer);
    },
  };
}

/** One pending wait a thread, whoever waits: a wait can't be taken back. It keeps nothing alive; the ticks do. */
async function waitForWakes({ memory, mailbox }: SharedState): Promise<void> {
  if (waiting) return;
  waiting = true;
  // Not within the look that began the wait.
  await Promise.resolve();
  while (listeners.size > 0) {
    const wait = Atomics.waitAsync(memory.words, mailbox, Atomics.load(memory.words, mailbox));
    memory.turn(mailbox);
    for (const listener of listeners) listener.woken();
    if (wait.async) await wait.value;
  }
  waiting = false;
}
