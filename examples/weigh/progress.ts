import { bytes, count, duration } from './units.ts';

/** Where progress is shown: stderr. */
export interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** How far the work is. */
export interface ProgressState {
  readonly files: number;
  readonly allFiles: number;
  readonly bytes: number;
  readonly allBytes: number;
  /** Since the start. */
  readonly seconds: number;
}

const BAR_WIDTH = 24;
const REDRAW_SECONDS = 0.1;
const LINE_SECONDS = 5;
const ERASE_LINE = '\r\u001B[K';

/** A bar that is redrawn in place on a terminal; elsewhere a line every few seconds. */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #all: { readonly files: number; readonly bytes: number };
  readonly #startedAt = performance.now();
  #shownAt = 0;
  #files = 0;
  #bytes = 0;

  constructor(output: ProgressOutput, all: { readonly files: number; readonly bytes: number }) {
    this.#output = output;
    this.#all = all;
  }

  /** One more file is done. */
  advance(size: number): void {
    this.#files += 1;
    this.#bytes += size;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const isTty = this.#output.isTTY === true;
    if (seconds - this.#shownAt < (isTty ? REDRAW_SECONDS : LINE_SECONDS)) return;
    this.#shownAt = seconds;
    const { files: allFiles, bytes: allBytes } = this.#all;
    const state = { files: this.#files, allFiles, bytes: this.#bytes, allBytes, seconds };
    this.#output.write(isTty ? `${ERASE_LINE}${progressBar(state)}` : `${progressText(state)}\n`);
  }

  /** Writes a line; the bar comes back below it. */
  say(line: string): void {
    this.end();
    this.#output.write(`${line}\n`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#output.isTTY === true) this.#output.write(ERASE_LINE);
  }
}

/** `[████████░░░░░░░░] 812 of 2463 files, 33 %, …` */
export function progressBar(state: ProgressState): string {
  const filled = Math.round(shareOf(state) * BAR_WIDTH);
  return `[${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}] ${progressText(state)}`;
}

/** `812 of 2463 files, 17.4 MB of 52.9 MB (33 %), 28.1 files/s, about 1 min 12 s left` */
export function progressText(state: ProgressState): string {
  const share = shareOf(state);
  const parts = [
    `${state.files} of ${count(state.allFiles, 'file')}`,
    `${bytes(state.bytes)} of ${bytes(state.allBytes)} (${Math.floor(share * 100)} %)`,
    `${(state.files / state.seconds).toFixed(1)} files/s`,
  ];
  // The time that a file takes grows with its size; the count of files would say little about what is left.
  if (share > 0 && share < 1) parts.push(`about ${duration((state.seconds * (1 - share)) / share)} left`);
  return parts.join(', ');
}

function shareOf({ bytes: done, allBytes, files, allFiles }: ProgressState): number {
  if (allBytes > 0) return Math.min(1, done / allBytes);
  return allFiles === 0 ? 1 : files / allFiles;
}
