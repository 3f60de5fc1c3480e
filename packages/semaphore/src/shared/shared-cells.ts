import { selfIdentity } from '../basics/thread-identity.ts';
import {
  CELL_HEADER,
  ownerThread,
  ownerWord,
  PLACE_WORDS,
  PLACES,
  READY,
  REGIONS,
  SLOT_WORDS,
  SLOTS_AT,
  WINDOW,
  type Region,
} from './shared-layout.ts';
import type { SharedMemory } from './shared-memory.ts';

/** What a cell counts. */
export type CellKind = 'slots' | 'rate';
const RATE = 1;

/** A name's part of the shared memory, at the moment at which it was looked for. */
export interface Cell {
  readonly at: number;
  readonly limit: number;
  /** The hash of the name, to tell whether the cell is still the same. */
  readonly key: readonly number[];
}

/** Whether the cell is still what it was when it was found. Asked after a claim was left in it. */
export function isCurrent({ words }: SharedMemory, { at, key, limit }: Cell): boolean {
  return (
    Atomics.load(words, at) === READY && key.every((word, k) => words[at + 1 + k] === word) && words[at + 5] === limit
  );
}

/**
 * Finds the cell of a name, or makes it.
 *
 * @returns also one that has another limit; `undefined` if there is no room for another name
 */
export function findCell(memory: SharedMemory, hash: Buffer, limit: number, kind: CellKind): Cell | undefined {
  const key = [0, 4, 8, 12].map((offset) => hash.readInt32LE(offset));
  const start = hash.readUInt32LE(16);
  const known = lookFor(memory, key, start);
  if (known !== undefined) return known;
  const region = REGIONS.find(({ largest }) => limit <= largest);
  if (region === undefined) return undefined;
  const at = claimCell(memory, region, start, key);
  if (at === undefined) return undefined;
  if (typeof at !== 'number') return at;
  fill(memory, at, region, { key, limit, kind });
  // Put by two threads at once, in regions for different limits: of these at least one sees the other.
  const other = lookFor(memory, key, start, at);
  return other ?? { at, limit, key };
}

/** Whether there may be a cell for that limit at all. */
export const fitsCells = (limit: number): boolean => limit <= (REGIONS.at(-1)?.largest ?? 0);

function lookFor(memory: SharedMemory, key: readonly number[], start: number, except = -1): Cell | undefined {
  for (const region of REGIONS) {
    for (const at of window(region, start)) {
      const state = settledState(memory, at);
      if (state === 0) break; // Cells are taken from the front of the window on.
      if (state !== READY || at === except) continue;
      const { words } = memory;
      if (key.every((word, k) => words[at + 1 + k] === word)) return { at, limit: words[at + 5] ?? 0, key };
    }
  }
  return undefined;
}

function* window(region: Region, start: number): Generator<number> {
  for (let i = 0; i < Math.min(WINDOW, region.cells); i++) {
    yield region.at + ((start + i) % region.cells) * region.words;
  }
}

/** The state of a cell once nobody alive is changing it: a few stores, done within microseconds. */
function settledState(memory: SharedMemory, at: number): number {
  for (;;) {
    const state = Atomics.load(memory.words, at);
    if (state === READY || state >= 0) return state;
    if (memory.isThreadDead(ownerThread(state))) return state;
    Atomics.wait(memory.words, at, state, 1);
  }
}

/** Takes a cell to fill in: one that was never used, or one whose name nobody uses. Or finds that the name has got one. */
function claimCell(
  memory: SharedMemory,
  region: Region,
  start: number,
  key: readonly number[],
): number | Cell | undefined {
  const own = -ownerWord(selfIdentity().threadId);
  const { words } = memory;
  for (const isLastResort of [false, true]) {
    for (const at of window(region, start)) {
      const state = settledState(memory, at);
      if (state === READY && key.every((word, k) => words[at + 1 + k] === word)) {
        return { at, limit: words[at + 5] ?? 0, key };
      }
      if (state === READY && !isLastResort) continue;
      if (Atomics.compareExchange(words, at, state, own) !== state) continue;
      if (state !== READY || isIdle(memory, at)) return at;
      Atomics.store(words, at, READY);
      Atomics.notify(words, at);
    }
  }
  return undefined;
}

/** Nobody holds or waits; asked with the cell's state taken, so that who comes now sees that. */
function isIdle(memory: SharedMemory, at: number): boolean {
  const { words, numbers } = memory;
  if (words[at + 7] === RATE) {
    const [interval = 0, newest = 0] = [numbers[(at + CELL_HEADER) / 2], numbers[(at + CELL_HEADER) / 2 + 1]];
    return newest + interval < Number(process.hrtime.bigint()) / 1000;
  }
  const isFree = (word: number): boolean => word === 0 || memory.isThreadDead(ownerThread(word));
  for (let place = 0; place < PLACES; place++) {
    if (!isFree(Atomics.load(words, at + CELL_HEADER + place * PLACE_WORDS))) return false;
  }
  const limit = words[at + 5] ?? 0;
  for (let slot = 0; slot < limit; slot++) {
    if (!isFree(Atomics.load(words, at + SLOTS_AT + slot * SLOT_WORDS))) return false;
  }
  return true;
}

function fill(
  { words }: SharedMemory,
  at: number,
  { words: size }: Region,
  { key, limit, kind }: { key: readonly number[]; limit: number; kind: CellKind },
): void {
  // As far as it was used: untouched pages are to stay so.
  const used = Math.min(size, SLOTS_AT + (words[at + 5] ?? 0) * SLOT_WORDS);
  words.fill(0, at + 6, at + used);
  words[at + 5] = limit;
  words[at + 7] = kind === 'rate' ? RATE : 0;
  words.set(key, at + 1);
  Atomics.store(words, at, READY);
  Atomics.notify(words, at);
}
