import type { EventBus, StopOptions } from '@threadbus/core';
import * as comlink from 'comlink';
import { describe, whenAborted } from '@threadbus/core/internal';
import { decodeThrown, encodeThrown, type Link, type WireError } from '@threadbus/link/internal';
import { runEndHooks } from './end-hooks.ts';
import { type Guest, takeGuest } from './guests.ts';
import { drainOutput } from './output.ts';

/** An answer, with the number of operations that had been sent over the link when it was given. */
type Answer = { readonly sent: number } & ({ readonly value: unknown } | { readonly error: WireError });

/** What can be asked of a bus in another thread beside events. */
export interface ControlCalls {
  stop(options: StopOptions): void;
  waitUntilIdle(timeout: number | null): boolean;
  logTree(): string;
  load(guest: Guest): void;
}

/** What carries the control plane: a port, or a stream to another process. */
export interface ControlPort {
  /** As comlink wants it. */
  readonly endpoint: object;
  ref(): void;
  unref(): void;
  close(): void;
}

interface ControlApi {
  call(method: keyof ControlCalls, argument: unknown, sent: number): Promise<Answer>;
}

/** Waits until the link has read that many operations: what was sent before a call comes before it. */
class Reached {
  readonly #link: Link;
  readonly #waiting = new Map<() => void, number>();

  constructor(link: Link) {
    this.#link = link;
    link.onFrame.push(() => this.#check());
  }

  wait(operations: number): Promise<void> {
    if (this.#link.received >= operations) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(resolve, operations));
  }

  #check(): void {
    for (const [resolve, operations] of this.#waiting) {
      if (this.#link.received < operations) continue;
      this.#waiting.delete(resolve);
      resolve();
    }
  }
}

/** The thread's side of the control plane. */
export function exposeControl(bus: EventBus, link: Link, endpoint: object): void {
  const reached = new Reached(link);
  const run = async (method: keyof ControlCalls, argument: unknown): Promise<unknown> => {
    switch (method) {
      case 'stop':
        await bus.stop(argument as StopOptions);
        await runEndHooks();
        return undefined;
      case 'waitUntilIdle':
        return bus.waitUntilIdle({ timeout: argument as number | null });
      case 'logTree':
        return bus.logTree();
      case 'load':
        await takeGuest(argument as Guest);
        return undefined;
      default:
        return method satisfies never;
    }
  };
  const api: ControlApi = {
    async call(method, argument, sent) {
      await reached.wait(sent);
      try {
        const value = await run(method, argument);
        await drainOutput();
        link.outbox.flush();
        return { sent: link.outbox.sent, value };
      } catch (error) {
        const wire = encodeThrown(error);
        link.outbox.flush();
        return {
          sent: link.outbox.sent,
          ...('error' in wire
            ? wire
            : { error: (encodeThrown(new Error(describe(error))) as { error: WireError }).error }),
        };
      }
    },
  };
  comlink.expose(api, endpoint as comlink.Endpoint);
}

/**
 * This side of the control plane.
 *
 * comlink leaves calls pending for ever when the thread dies: here every call also ends with `fail`.
 */
export class ControlClient {
  readonly #remote: comlink.Remote<ControlApi>;
  readonly #link: Link;
  readonly #port: ControlPort;
  readonly #reached: Reached;
  /** How to give up each call that waits. */
  readonly #pending = new Set<(error: Error) => void>();
  #failure: Error | null = null;

  constructor(link: Link, port: ControlPort) {
    this.#link = link;
    this.#port = port;
    this.#reached = new Reached(link);
    this.#remote = comlink.wrap<ControlApi>(port.endpoint as comlink.Endpoint);
    port.unref();
  }

  /**
   * Asks the thread; the process stays up until it has answered or is gone.
   *
   * @param signal ends the wait for the answer, with its reason
   */
  async call<Method extends keyof ControlCalls>(
    method: Method,
    argument: Parameters<ControlCalls[Method]>[0] | undefined,
    signal?: AbortSignal,
  ): Promise<ReturnType<ControlCalls[Method]>> {
    if (this.#failure !== null) throw this.#failure;
    signal?.throwIfAborted();
    this.#link.outbox.flush();
    const answer = await this.#untilGone(this.#ask(method, argument), signal);
    if ('error' in answer) throw decodeThrown(answer) as Error;
    return answer.value as ReturnType<ControlCalls[Method]>;
  }

  /** Tells the thread something; nothing waits for its answer, or stays up for it. */
  tell<Method extends keyof ControlCalls>(method: Method, argument: Parameters<ControlCalls[Method]>[0]): void {
    if (this.#failure !== null) return;
    this.#remote.call(method, argument, 0).catch(() => undefined);
    if (this.#pending.size === 0) this.#port.unref();
  }

  /** The answer, once all that was sent before it has been read. */
  async #ask(method: keyof ControlCalls, argument: unknown): Promise<Answer> {
    const answer = await this.#remote.call(method, argument, this.#link.outbox.sent);
    await this.#reached.wait(answer.sent);
    return answer;
  }

  async #untilGone(answer: Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> {
    let giveUp: (error: Error) => void = () => undefined;
    const gone = new Promise<never>((_resolve, reject) => {
      giveUp = reject;
    });
    const stopListening = signal === undefined ? null : whenAborted(signal, () => giveUp(signal.reason as Error));
    this.#pending.add(giveUp);
    this.#port.ref();
    try {
      return await Promise.race([answer, gone]);
    } finally {
      stopListening?.();
      this.#pending.delete(giveUp);
      if (this.#pending.size === 0) this.#port.unref();
    }
  }

  /** The thread is gone: no call will be answered any more. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const reject of [...this.#pending]) reject(error);
    this.#pending.clear();
    this.#port.close();
  }
}
