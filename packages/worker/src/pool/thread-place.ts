import type { ThreadHost } from './thread-host.ts';

/** Whether a thread needs one of its pool's places, and whether its handler awaits an event: told when it changes. */
export class ThreadPlace {
  readonly #host: Pick<ThreadHost<never>, 'place' | 'awaiting'>;
  #taken = false;
  #awaiting = false;

  constructor(host: Pick<ThreadHost<never>, 'place' | 'awaiting'>) {
    this.#host = host;
  }

  get awaiting(): boolean {
    return this.#awaiting;
  }

  /** @param at now, in monotonic seconds, if that is known */
  take(taken: boolean, at?: number): void {
    if (this.#taken === taken) return;
    this.#taken = taken;
    this.#host.place(taken, at);
  }

  await(awaiting: boolean): void {
    if (this.#awaiting === awaiting) return;
    this.#awaiting = awaiting;
    this.#host.awaiting(awaiting);
  }
}
