import { LinkError, linkBuses } from '@threadbus/link';
import { setTimeout as sleep } from 'node:timers/promises';
import { SessionTransport } from '../../../packages/nats/dist/session/session-transport.js';
import { randomNumbers } from '../../fixtures/random-numbers.ts';
import type { Carrier } from '../../helpers/cancel-program.ts';
import { type Faults, LossyNet } from './lossy-net.ts';

/** Steps without a word from the other end, after which it counts as gone. */
const longestSilence = 100;

interface Link {
  readonly net: LossyNet;
  readonly transports: readonly [SessionTransport, SessionTransport];
  /** Steps since one of the ends has left. */
  silent: number;
}

/** Links over sessions whose carrier spoils packets, as a seed says, and works on by itself until it is closed. */
export class LossyLinks implements Required<Carrier> {
  readonly #links: Link[] = [];
  readonly #random: () => number;
  readonly #faults: Faults;
  readonly #working: Promise<void>;
  #isClosed = false;

  constructor(seed: number, faults: Faults) {
    this.#random = randomNumbers(seed * 7 + 5);
    this.#faults = faults;
    this.#working = this.#work();
  }

  async join(...[from, to, options]: Parameters<Carrier['join']>): ReturnType<Carrier['join']> {
    const below = (end: number): number => Math.floor(this.#random() * end);
    const net = new LossyNet(below(2 ** 30), this.#faults, 64 + below(400));
    const sizes = { window: 200 + below(4000), maxFrame: 1 << 20, clock: () => net.now };
    const make = (at: 0 | 1): SessionTransport => {
      const left = (): void => transport.fail(new LinkError('The other end has left.'));
      const events = { note: () => undefined, goodbye: left, heard: () => true };
      const transport = new SessionTransport(net.ends[at], sizes, events, () => undefined);
      return transport;
    };
    const transports = [make(0), make(1)] as const;
    this.#links.push({ net, transports, silent: 0 });
    return Promise.all([linkBuses(from, transports[0], options), linkBuses(to, transports[1], options)]);
  }

  lose(which: number): void {
    for (const transport of this.#links[which % this.#links.length]?.transports ?? []) {
      transport.fail(new LinkError('The other end is silent.'));
    }
  }

  /** @returns how many ends are still open, once the carrier has stopped */
  async close(): Promise<number> {
    for (let steps = 0; this.#open > 0 && steps < 20 * longestSilence; steps += 1) {
      await new Promise((resolve) => void setImmediate(resolve));
    }
    this.#isClosed = true;
    await this.#working;
    return this.#open;
  }

  get #open(): number {
    return this.#links.flatMap(({ net }) => net.ends.filter(({ isClosed }) => !isClosed)).length;
  }

  async #work(): Promise<void> {
    for (let i = 0; !this.#isClosed; i += 1) {
      for (const link of this.#links) this.#step(link);
      // Handlers go on in turns of their own, some of which are a millisecond long.
      if (i % 50 === 0) await sleep(1);
      else await new Promise((resolve) => void setImmediate(resolve));
    }
  }

  #step(link: Link): void {
    const { net, transports } = link;
    net.step(() => {
      for (const { session } of transports) session.tick();
    });
    // A goodbye may be lost: then the silence tells.
    if (!net.ends.some(({ isClosed }) => isClosed)) return;
    link.silent += 1;
    if (link.silent === longestSilence)
      for (const [at, end] of net.ends.entries())
        if (!end.isClosed) transports[at]?.fail(new LinkError('The other end is silent.'));
  }
}
