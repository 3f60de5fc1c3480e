// What all threads of the process share, in 32-bit words:
//
//   header   [0] magic  [1] bits, see shared-memory.ts  [2..3] id of this memory  [4..5] when the memory before it was lost
//            [6..7] when it was made
//   threads  1024 × [0] owner  [1] mailbox  [2..3] tid  [4..5] start  [6] descriptor  [7] turns
//   cells    one for each name in use, in regions by the largest limit that fits:
//            [0] state  [1..4] hash of the name  [5] limit  [6] next ticket, or next entry of a rate  [7] kind
//            64 × waiting call: [0] owner  [1] ticket  [2] permits  [3] since
//            limit × slot:      [0] owner  [1] since (0 = reserved by a call that still waits)
//
// A rate limit has a cell, too: in place of the waiting calls its interval and its newest start, in place of each slot the
// time of a start (a double each).
//
// A thread may be terminated between any two instructions. So every change is either one atomic store or exchange, or is
// made by an owner whose death others can prove: a word is `threadId + 1` if that thread owns it, `-(threadId + 1)` while
// that thread fills in the words behind it, and 0 if nobody does. Node never gives a threadId out twice.
//
// A name that nobody holds or waits for is free again: its cell goes to another name once there is no cell left that was
// never used. A name is only looked for, and put, in the 64 cells from where its hash points. Whoever uses a cell first
// leaves a claim in it (a slot, a place), then looks whether the cell still is what it was; whoever clears a cell first
// says so in its state, then looks for claims. At least one of two sees the other.

export const MAGIC = 0x7b50_0002;
const HEADER = 8;
export const THREAD_WORDS = 8;
const THREADS = 1024;
export const THREADS_AT: number = HEADER;
export const THREADS_END: number = THREADS_AT + THREADS * THREAD_WORDS;

export const CELL_HEADER = 8;
export const PLACES = 64;
export const PLACE_WORDS = 4;
export const SLOT_WORDS = 2;
export const SLOTS_AT: number = CELL_HEADER + PLACES * PLACE_WORDS;

/** The cell is what its hash says. */
export const READY = 0x7fff_ffff;
/** How many cells from its hash on a name may be in. */
export const WINDOW = 64;

export interface Region {
  readonly at: number;
  readonly cells: number;
  readonly words: number;
  readonly largest: number;
}

function* regionsFrom(start: number): Generator<Region> {
  let at = start;
  for (const [cells, largest] of [
    [16_384, 16],
    [512, 256],
    [64, 4096],
    [2, 1_048_576],
  ] as const) {
    const words = SLOTS_AT + largest * SLOT_WORDS;
    yield { at, cells, words, largest };
    at += cells * words;
  }
}

export const REGIONS: readonly Region[] = [...regionsFrom(THREADS_END)];
const last = REGIONS.at(-1);
/** Pages that nobody touches take no memory: a process with a few semaphores uses a few kB of it. */
export const BYTES: number = 4 * ((last?.at ?? 0) + (last?.cells ?? 0) * (last?.words ?? 0));

export const ownerWord = (threadId: number): number => threadId + 1;
export const ownerThread = (word: number): number => Math.abs(word) - 1;
