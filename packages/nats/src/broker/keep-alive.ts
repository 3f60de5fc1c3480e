import type { NatsConnectionLike } from './connection.ts';

/** What is reached of a client's inside; other versions may lack it, and then keep the process alive. */
interface Insides {
  readonly protocol?: {
    readonly transport?: { readonly socket?: { unref?(): void } };
    readonly heartbeats?: { timer?: { unref?(): void }; _schedule?(): void };
  };
}

const longest = 2 ** 31 - 1;

/**
 * Whether the process must stay up for a connection: only while somebody needs it.
 *
 * The client has no word for that. Its socket and the timer of its pings are let go, and a timer of our own keeps the
 * process while it is needed. While the client looks for its server again, its own timers keep the process up.
 */
export class KeepAlive {
  #needed = 0;
  #timer: NodeJS.Timeout | null = null;

  /** Lets the process end although the client is connected; to be called again after a reconnect. */
  release(connection: NatsConnectionLike): void {
    const { transport, heartbeats } = (connection as Insides).protocol ?? {};
    transport?.socket?.unref?.();
    if (heartbeats?._schedule === undefined) return;
    heartbeats.timer?.unref?.();
    if (Object.hasOwn(heartbeats, '_schedule')) return;
    const schedule = heartbeats._schedule.bind(heartbeats);
    heartbeats._schedule = () => {
      schedule();
      heartbeats.timer?.unref?.();
    };
  }

  /** The process stays up until the work is done. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#change(1);
    try {
      return await work();
    } finally {
      this.#change(-1);
    }
  }

  /** Somebody's own need: true, false, or true again, in any order. */
  holder(): (needed: boolean) => void {
    let holds = false;
    return (needed) => {
      if (needed === holds) return;
      holds = needed;
      this.#change(needed ? 1 : -1);
    };
  }

  /** One more, or one less, needs the process. */
  #change(by: 1 | -1): void {
    this.#needed += by;
    if (this.#needed > 0) {
      this.#timer ??= setInterval(() => undefined, longest);
    } else if (this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }
}
