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

// A name's cell is found by the name alone. To put one, a thread takes a cell, writes the name into it, and looks whether
// another one has the name or is about to: of two at once at least one sees the other, takes the name out again, and
// looks anew. Only then is the cell ready.

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
  return Atomics.load(words, at) === READY && hasKey(words, at, key) && words[at + 5] === limit;
}

/**
 * Finds the cell of a name, or makes it.
 *
 * @returns also one that has another limit; `undefined` if there is no room for another name
 */
export function findCell(memory: SharedMemory, hash: Buffer, limit: number, kind: CellKind): Cell | undefined {
  const key = [0, 4, 8, 12].map((offset) => hash.readInt32LE(offset));
  const start = hash.readUInt32LE(16);
  for (;;) {
    const known = lookFor(memory, key, start);
    if (known === 'being made') {
      pause(memory);
      continue;
    }
    if (known !== undefined) return known;
    const region = REGIONS.find(({ largest }) => limit <= largest);
    const at = region && claimCell(memory, region, start);
    if (region === undefined || at === undefined) return undefined;
    fill(memory, at, region, { key, limit, kind });
    if (lookFor(memory, key, start, at) === undefined) {
      settle(memory, at);
      return { at, limit, key };
    }
    memory.words.fill(0, at + 1, at + 5);
    settle(memory, at);
    pause(memory);
  }
}

/** Whether there may be a cell for that limit at all. */
export const fitsCells = (limit: number): boolean => limit <= (REGIONS.at(-1)?.largest ?? 0);

function hasKey(words: Int32Array, at: number, key: readonly number[]): boolean {
  return words[at + 1] === key[0] && words[at + 2] === key[1] && words[at + 3] === key[2] && words[at + 4] === key[3];
}

/** Some moment of up to a millisecond: two that met each other are not to meet again. */
function pause({ words }: SharedMemory): void {
  Atomics.wait(words, 0, words[0] ?? 0, Math.random());
}

/** Where the i-th cell of a name's window is. */
const cellAt = ({ at, cells, words }: Region, start: number, i: number): number => at + ((start + i) % cells) * words;

function lookFor(
  memory: SharedMemory,
  key: readonly number[],
  start: number,
  except = -1,
): Cell | 'being made' | undefined {
  const { words } = memory;
  for (const region of REGIONS) {
    for (let i = 0; i < Math.min(WINDOW, region.cells); i++) {
      const at = cellAt(region, start, i);
      // Cells are taken from the front of the window on, and never given back.
      const state = Atomics.load(words, at);
      if (state === 0) break;
      if (at === except || !hasKey(words, at, key)) continue;
      if (state === READY) return { at, limit: words[at + 5] ?? 0, key };
      if (!memory.isThreadDead(ownerThread(state))) return 'being made';
    }
  }
  return undefined;
}

/** Takes a cell to fill in: one that was never used, or one whose name nobody uses. */
function claimCell(memory: SharedMemory, region: Region, start: number): number | undefined {
  const { words } = memory;
  const own = -ownerWord(selfIdentity().threadId);
  for (const isLastResort of [false, true]) {
    for (let i = 0; i < Math.min(WINDOW, region.cells); i++) {
      const at = cellAt(region, start, i);
      const state = Atomics.load(words, at);
      if (state === READY && !isLastResort && !hasKey(words, at, NO_NAME)) continue;
      // Someone else is filling it in, unless its thread has died over that.
      if (state < 0 && !memory.isThreadDead(ownerThread(state))) continue;
      if (Atomics.compareExchange(words, at, state, own) !== state) continue;
      if (state !== READY || isIdle(memory, at)) return at;
      settle(memory, at);
    }
  }
  return undefined;
}

const NO_NAME = [0, 0, 0, 0];

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
  for (const [k, word] of key.entries()) Atomics.store(words, at + 1 + k, word);
}

function settle({ words }: SharedMemory, at: number): void {
  Atomics.store(words, at, READY);
}
