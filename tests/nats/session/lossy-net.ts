import type { Datagrams } from '../../../packages/nats/dist/session/datagrams.js';
import { SessionTransport } from '../../../packages/nats/dist/session/session-transport.js';
import { randomNumbers } from '../../fixtures/random-numbers.ts';

/** How often, of a thousand packets, each fault happens. */
export interface Faults {
  readonly lost: number;
  readonly doubled: number;
  /** Comes up to eight steps later, so that others overtake it. */
  readonly late: number;
  /** The carrier breaks, for some steps: all that is on the way is lost. */
  readonly cut: number;
}

interface OnTheWay {
  readonly to: End;
  readonly packet: Uint8Array;
  readonly due: number;
}

class End implements Datagrams {
  readonly maxSize: number;
  readonly #net: LossyNet;
  peer: End | null = null;
  isUp = true;
  receive: (packet: Uint8Array) => void = () => undefined;
  restored: () => void = () => undefined;
  isClosed = false;

  constructor(net: LossyNet, maxSize: number) {
    this.#net = net;
    this.maxSize = maxSize;
  }

  open(receive: (packet: Uint8Array) => void, restored: () => void): void {
    this.receive = receive;
    this.restored = restored;
  }

  send(packet: Uint8Array): void {
    if (packet.length > this.maxSize) throw new Error(`a packet of ${packet.length} bytes`);
    this.#net.send(this.peer as End, packet);
  }

  close(): void {
    this.isClosed = true;
  }
}

/** Two ends with a carrier between them that loses, doubles and swaps packets and breaks, as a seed says; time is made here, too. */
export class LossyNet {
  readonly ends: readonly [End, End];
  /** Milliseconds. */
  now = 0;
  readonly #random: () => number;
  readonly #faults: Faults;
  #way: OnTheWay[] = [];
  #step = 0;
  #cutUntil = -1;
  readonly counts = { sent: 0, lost: 0, doubled: 0, late: 0, cuts: 0 };

  constructor(seed: number, faults: Faults, maxSize: number) {
    this.#random = randomNumbers(seed);
    this.#faults = faults;
    this.ends = [new End(this, maxSize), new End(this, maxSize)];
    this.ends[0].peer = this.ends[1];
    this.ends[1].peer = this.ends[0];
  }

  send(to: End, packet: Uint8Array): void {
    this.counts.sent += 1;
    if (this.#happens(this.#faults.lost)) {
      this.counts.lost += 1;
      return;
    }
    const copies = this.#happens(this.#faults.doubled) ? 2 : 1;
    if (copies === 2) this.counts.doubled += 1;
    for (let i = 0; i < copies; i += 1) {
      const late = i > 0 || this.#happens(this.#faults.late);
      if (late) this.counts.late += 1;
      // As a copy: what the sender does with its bytes later doesn't reach what is on the way.
      const due = this.#step + (late ? 1 + Math.floor(this.#random() * 8) : 0);
      this.#way.push({ to, packet: Uint8Array.from(packet), due });
    }
  }

  /** Delivers what is due; when nothing is on the way, time goes on to the next beat. */
  step(beat: () => void): void {
    this.#step += 1;
    this.now += 1;
    if (this.#cutUntil < 0 && this.#happens(this.#faults.cut)) {
      this.counts.cuts += 1;
      this.#cutUntil = this.#step + 1 + Math.floor(this.#random() * 5);
      this.#way = [];
      for (const end of this.ends) end.isUp = false;
    }
    if (this.#cutUntil >= 0 && this.#step >= this.#cutUntil) {
      this.#cutUntil = -1;
      for (const end of this.ends) end.isUp = true;
      for (const end of this.ends) if (!end.isClosed) end.restored();
    }
    const due = this.#way.filter((each) => each.due <= this.#step);
    if (due.length === 0 && this.#way.length === 0) {
      this.now += 300;
      beat();
      return;
    }
    this.#way = this.#way.filter((each) => each.due > this.#step);
    for (const { to, packet } of due) if (!to.isClosed) to.receive(packet);
  }

  #happens(often: number): boolean {
    return this.#random() * 1000 < often;
  }
}

export interface TransportPair {
  readonly net: LossyNet;
  readonly transports: readonly [SessionTransport, SessionTransport];
  /** Lets the carrier work until the promise is settled. @throws Error if it isn't, after so many steps */
  run<T>(until: Promise<T>, steps?: number): Promise<T>;
}

/** A transport whose two ends are sessions over such a carrier. */
export function transportPair(seed: number, faults: Faults, { maxSize = 256, window = 4096 } = {}): TransportPair {
  const net = new LossyNet(seed, faults, maxSize);
  const options = { window, maxFrame: 1 << 20, clock: () => net.now };
  const ignore = (): void => undefined;
  const events = { note: ignore, goodbye: ignore, heard: () => true };
  const [first, second] = net.ends;
  const transports = [
    new SessionTransport(first, options, events, ignore),
    new SessionTransport(second, options, events, ignore),
  ] as const;
  const beat = (): void => {
    for (const { session } of transports) session.tick();
  };
  return {
    net,
    transports,
    run: async (until, steps = 20_000) => {
      const state = { settled: false };
      const settle = (): void => {
        state.settled = true;
      };
      until.then(settle, settle);
      for (let i = 0; !state.settled; i += 1) {
        if (i === steps) throw new Error(`not settled after ${steps} steps: ${JSON.stringify(net.counts)}`);
        net.step(beat);
        // Handlers go on in turns of their own.
        await new Promise((resolve) => void setImmediate(resolve));
      }
      return until;
    },
  };
}
