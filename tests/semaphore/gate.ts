/** A promise that the test opens. */
export interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

export function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

/** Lets everything run that is ready to. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How many run at once, now and at most. */
export class Gauge {
  now = 0;
  most = 0;
  total = 0;

  enter(): void {
    this.now++;
    this.total++;
    this.most = Math.max(this.most, this.now);
  }

  leave(): void {
    this.now--;
  }
}
