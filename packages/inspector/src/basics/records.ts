/** What became of a handler's call, or of an event, as text. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  readonly stack: string | null;
}

/** One call of one handler; times are milliseconds since 1970, null for what hasn't come about or nobody has told. */
export interface CallRecord {
  /** Of the handler, which is called once for an event; a result has an id of its own only if somebody asks for it. */
  readonly id: string;
  readonly handler: string;
  readonly bus: string;
  /** Of the thread that runs it, 0 for a main thread; null until it is known. */
  readonly thread: number | null;
  readonly pid: number | null;
  /** When a pool's handler was called from another thread: from then until it starts it waits. */
  readonly called: number | null;
  readonly started: number | null;
  readonly ended: number | null;
  /** `'lost'`: its thread has ended, and nobody has told what became of it. */
  readonly status: 'pending' | 'started' | 'completed' | 'error' | 'lost';
  readonly error: ErrorText | null;
}

/** What one thread knows of an event, or all together do. */
export interface EventRecord {
  readonly id: string;
  readonly parent: string | null;
  readonly type: string;
  /** Of the bus that had it first. */
  readonly bus: string;
  /** Names of the buses that had it, in order. */
  readonly path: readonly string[];
  /** When it was dispatched; null where it was not. */
  readonly born: number | null;
  readonly done: number | null;
  /** `'lost'`: its thread has ended before it was complete. */
  readonly outcome: 'succeeded' | 'failed' | 'cancelled' | 'lost' | null;
  readonly calls: readonly CallRecord[];
}

/** What can be told of a value without having it: plain JSON. */
export type Shown = string | number | boolean | null | readonly Shown[] | { readonly [name: string]: Shown };

/** What is asked for when somebody opens an event. */
export interface EventDetails {
  readonly payload: Shown;
  readonly results: readonly {
    readonly id: string;
    /** Null for one that hasn't completed. */
    readonly value: Shown;
    readonly error: ErrorText | null;
  }[];
}

/** Of this thread; to look it up each time costs more than the time itself. */
const { timeOrigin } = performance;

/** Milliseconds since 1970, with what is finer. */
export function clock(): number {
  return timeOrigin + performance.now();
}
