import type { EventBus } from '@threadbus/core';
import { whenAborted } from '@threadbus/core/internal';
import { decodeThrown, encodeThrown } from '@threadbus/link/internal';

/** What can be asked of the bus at the other end beside events. */
export interface Answers {
  waitUntilIdle(timeout: number | null): Promise<boolean>;
  logTree(): string;
}

type Ask = { readonly ask: number; readonly method: string; readonly argument: unknown };
type Answer = {
  readonly answer: number;
  readonly outcome: Parameters<typeof decodeThrown>[0];
  readonly failed: boolean;
};

/** Questions to the other end and answers to its own, in order with the events. */
export class Questions {
  readonly #bus: EventBus;
  readonly #send: (note: unknown) => void;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #next = 0;

  /** @param send sends a note behind all that was sent before it */
  constructor(bus: EventBus, send: (note: unknown) => void) {
    this.#bus = bus;
    this.#send = send;
  }

  /** @throws what the other side says; the reason why the link is gone; the signal's reason */
  async ask<Method extends keyof Answers>(
    method: Method,
    argument: Parameters<Answers[Method]>[0] | undefined,
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<Answers[Method]>>> {
    signal?.throwIfAborted();
    this.#next += 1;
    const id = this.#next;
    let stop: () => void = () => undefined;
    try {
      return await new Promise<Awaited<ReturnType<Answers[Method]>>>((resolve, reject) => {
        this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
        if (signal !== undefined) stop = whenAborted(signal, () => reject(signal.reason as Error));
        this.#send({ ask: id, method, argument } satisfies Ask);
      });
    } finally {
      this.#waiting.delete(id);
      stop();
    }
  }

  /** @returns whether the note was one of these */
  read(note: object): boolean {
    if ('ask' in note) void this.#answer(note as Ask);
    else if ('answer' in note) this.#answered(note as Answer);
    else return false;
    return true;
  }

  /** No answer comes any more. */
  fail(error: Error): void {
    for (const { reject } of [...this.#waiting.values()]) reject(error);
  }

  get size(): number {
    return this.#waiting.size;
  }

  async #answer({ ask, method, argument }: Ask): Promise<void> {
    try {
      this.#send({
        answer: ask,
        failed: false,
        outcome: { value: await this.#run(method, argument) },
      } satisfies Answer);
    } catch (error) {
      this.#send({ answer: ask, failed: true, outcome: encodeThrown(error) } satisfies Answer);
    }
  }

  async #run(method: string, argument: unknown): Promise<unknown> {
    if (method === 'waitUntilIdle') return this.#bus.waitUntilIdle({ timeout: argument as number | null });
    if (method === 'logTree') return this.#bus.logTree();
    throw new TypeError(`This version of @threadbus/nats doesn't answer '${method}'.`);
  }

  #answered({ answer, failed, outcome }: Answer): void {
    const waiting = this.#waiting.get(answer);
    if (failed) waiting?.reject(decodeThrown(outcome) as Error);
    else waiting?.resolve(decodeThrown(outcome));
  }
}
