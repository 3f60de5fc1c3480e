import { readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isolation } from './isolation.ts';
import { tempFolder } from './temp-folder.ts';

/** A number that threads or processes count up (fixtures/worker/counter.ts), and that a test can wait for. */
export interface SharedCounter {
  /** To be handed over: in shared memory, or for processes the path of a file. */
  readonly buffer: SharedArrayBuffer;
  readonly value: number;
  /** Resolves once the number is at least that. */
  reached(value: number): Promise<void>;
}

type WaitAsync = (
  view: Int32Array,
  index: number,
  value: number,
) => { readonly async: boolean; readonly value: Promise<string> | string };

export function sharedCounter(): SharedCounter {
  return isolation() === 'thread' ? memoryCounter() : fileCounter();
}

/** A file, a byte longer each time. */
function fileCounter(): SharedCounter {
  const path = join(tempFolder(), 'begun');
  writeFileSync(path, '');
  const value = (): number => readFileSync(path).length;
  return {
    buffer: path as unknown as SharedArrayBuffer,
    get value() {
      return value();
    },
    async reached(wanted) {
      const watcher = watch(path);
      try {
        await new Promise<void>((resolve) => {
          const look = (): void => {
            if (value() >= wanted) resolve();
          };
          watcher.on('change', look);
          look();
        });
      } finally {
        watcher.close();
      }
    },
  };
}

function memoryCounter(): SharedCounter {
  const view = new Int32Array(new SharedArrayBuffer(8));
  const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync };
  return {
    buffer: view.buffer,
    get value() {
      return Atomics.load(view, 0);
    },
    async reached(value) {
      for (let now = Atomics.load(view, 0); now < value; now = Atomics.load(view, 0)) {
        await waitAsync(view, 0, now).value;
      }
    },
  };
}
