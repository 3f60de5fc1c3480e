/** A number in shared memory that threads count up, and that a test can wait for. */
export interface SharedCounter {
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
