import type { SilenceWatch } from '@threadbus/link/internal';
import type { BusHost } from './bus-host.ts';

/** Looks of the answer clock after its question, at which a thread that isn't blocked has answered for long. */
const patience = 2;
/** Seconds of them for which the thread has to have waited for messages. */
const idleEnough = 1;

/**
 * Finds a thread that is not blocked, takes what it is sent, and answers nothing: a handler has replaced what its
 * messages go through, such as `MessagePort.prototype.postMessage`. Whatever it is given from then on is lost.
 *
 * Told apart from one that is blocked by the time for which it has waited in its event loop since it was asked, which
 * Node counts outside of its reach.
 */
export class MuteWatch implements SilenceWatch {
  readonly #host: () => BusHost | null;
  readonly #end: (still: () => boolean, what: string) => void;
  #asked: { readonly host: BusHost; readonly idleTime: number } | null = null;

  /** @param end the thread is to be ended, if that is still so */
  constructor(host: () => BusHost | null, end: (still: () => boolean, what: string) => void) {
    this.#host = host;
    this.#end = end;
  }

  /** It has been silent for so many looks since it was asked; 0 = it is being asked. */
  silent(looks: number): void {
    const host = this.#host();
    const idleTime = host?.idleTime ?? null;
    if (host === null || idleTime === null) return;
    if (looks === 0) this.#asked = { host, idleTime };
    const asked = this.#asked;
    if (asked?.host !== host || looks < patience || idleTime - asked.idleTime < idleEnough) return;
    const { link } = host;
    const { heard } = link;
    // This thread may have been busy itself, with the answer waiting.
    host.catchUp(() => {
      const still = (): boolean => link.heard === heard;
      const why = 'a handler may have replaced what its messages go through, such as MessagePort.prototype.postMessage';
      if (still()) this.#end(still, `takes messages and answers none (${why}), and was ended`);
    });
  }
}
