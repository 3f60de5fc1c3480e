import { randomNumbers } from '../fixtures/random-numbers.ts';

/** Random programs of linked buses, each made from one number. */
export interface LinkProgram {
  readonly seed: number;
  readonly buses: readonly { readonly parallel: boolean }[];
  readonly links: readonly LinkPlan[];
  readonly handlers: readonly LinkHandler[];
  readonly forwards: readonly LinkForward[];
  /** Run side by side, each on one bus, outside any handler. */
  readonly tasks: readonly { readonly bus: number; readonly steps: readonly LinkStep[] }[];
  /** What goes wrong meanwhile; null = nothing, so that all results are known beforehand. */
  readonly havoc: Havoc | null;
}

interface LinkPlan {
  readonly ends: readonly [number, number];
  readonly maxInFlight: number;
}

export interface LinkHandler {
  /** On which it is registered. */
  readonly bus: number;
  /** Whose side it runs on: another one's than the bus's own if that has registered it over a link. */
  readonly home: number;
  readonly type: number;
  readonly steps: readonly LinkStep[];
  readonly end: 'value' | 'throw' | 'dispatch';
}

/** `from.on(type, to.dispatch)`, said on either side. */
interface LinkForward {
  readonly from: number;
  readonly to: number;
  /** -1 stands for '*'. */
  readonly type: number;
  readonly saidBy: 'from' | 'to';
}

/** Of a bus that the side can reach: itself first, then those that it has links to. */
export interface LinkCall {
  readonly reach: number;
  readonly type: number;
}

export type LinkStep =
  | { readonly do: 'pause'; readonly turns: number }
  | { readonly do: 'dispatch'; readonly call: LinkCall }
  | { readonly do: 'call'; readonly call: LinkCall }
  | { readonly do: 'all'; readonly calls: readonly LinkCall[] }
  /** Any event that was seen on this side. */
  | { readonly do: 'await'; readonly index: number }
  | { readonly do: 'capacity'; readonly call: LinkCall }
  | { readonly do: 'expect'; readonly reach: number; readonly type: number };

interface Havoc {
  /** After so many turns of the event loop. */
  readonly turns: number;
  readonly what: 'close' | 'stop' | 'nothing';
  readonly index: number;
  /** Milliseconds that each event's handlers have. */
  readonly timeout: number | null;
}

const typeCount = 4;

/** Makes one program's parts. */
class Maker {
  readonly #random: () => number;
  readonly dense: boolean;

  /** @param dense many forwards and functions of other sides, and more links than it takes: much comes on two ways */
  constructor(seed: number, dense: boolean) {
    this.dense = dense;
    this.#random = randomNumbers(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
  }

  upTo(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.upTo(items.length)] as T;
  }

  list<T>(least: number, most: number, make: (index: number) => T): T[] {
    return Array.from({ length: least + this.upTo(most - least + 1) }, (_, index) => make(index));
  }

  /** Events of types above `above` only: so that no program is endless. */
  call(above: number): LinkCall {
    return { reach: this.upTo(4), type: above + 1 + this.upTo(typeCount - above - 1) };
  }

  step(above: number): LinkStep {
    const dice = this.#random();
    if (above >= typeCount - 1) return dice < 0.5 ? { do: 'pause', turns: this.upTo(3) } : this.#await();
    if (dice < 0.15) return { do: 'pause', turns: this.upTo(3) };
    if (dice < 0.4) return { do: 'dispatch', call: this.call(above) };
    if (dice < 0.62) return { do: 'call', call: this.call(above) };
    if (dice < 0.72) return { do: 'all', calls: this.list(2, 3, () => this.call(above)) };
    if (dice < 0.9) return this.#await();
    if (dice < 0.95) return { do: 'capacity', call: this.call(above) };
    return { do: 'expect', reach: this.upTo(4), type: this.upTo(typeCount) };
  }

  #await(): LinkStep {
    return { do: 'await', index: this.upTo(12) };
  }
}

/** At most one of each bus to each other: said twice, it would be one function here, and two over links. */
function forwards(maker: Maker, pair: () => readonly [number, number]): LinkForward[] {
  const made: LinkForward[] = [];
  const [least, most] = maker.dense ? [2, 9] : [0, 5];
  for (const [from, to] of maker.list(least, most, pair)) {
    if (made.some((other) => other.from === from && other.to === to)) continue;
    const type = maker.chance(maker.dense ? 0.6 : 0.4) ? -1 : maker.upTo(typeCount);
    made.push({ from, to, type, saidBy: maker.pick(['from', 'from', 'to'] as const) });
  }
  return made;
}

/**
 * @param havoc whether something is to go wrong in it
 * @param dense whether much comes on two ways
 */
export function linkProgram(seed: number, havoc: boolean, dense: boolean): LinkProgram {
  const maker = new Maker(seed, dense);
  const buses = maker.list(2, 5, () => ({ parallel: maker.chance(0.15) }));
  const links: LinkPlan[] = [];
  const link = (a: number, b: number): void => {
    if (a === b || links.some(({ ends }) => ends.includes(a) && ends.includes(b))) return;
    links.push({ ends: [a, b], maxInFlight: maker.pick([1, 1, 2, 256]) });
  };
  // All hang together; some more make rings.
  for (let bus = 1; bus < buses.length; bus += 1) link(bus, maker.upTo(bus));
  for (const [a, b] of maker.list(
    0,
    dense ? 5 : 3,
    () => [maker.upTo(buses.length), maker.upTo(buses.length)] as const,
  ))
    link(a, b);
  const pair = (): readonly [number, number] => {
    const { ends } = maker.pick(links);
    return maker.chance(0.5) ? ends : [ends[1], ends[0]];
  };
  return {
    seed,
    buses,
    links,
    handlers: maker.list(2, 7, () => {
      const [bus, other] = pair();
      const type = maker.upTo(typeCount);
      return {
        bus,
        home: maker.chance(dense ? 0.5 : 0.2) ? other : bus,
        type,
        steps: maker.list(0, 3, () => maker.step(type)),
        end: maker.pick(['value', 'value', 'value', 'throw', 'dispatch'] as const),
      };
    }),
    forwards: forwards(maker, pair),
    tasks: maker.list(1, 3, () => ({
      bus: maker.upTo(buses.length),
      steps: [
        { do: 'dispatch', call: { reach: maker.upTo(4), type: maker.upTo(2) } } as const,
        ...maker.list(0, 3, () => maker.step(-1)),
      ],
    })),
    havoc: havoc
      ? {
          turns: maker.upTo(12),
          what: maker.pick(['close', 'stop', 'nothing'] as const),
          index: maker.upTo(8),
          timeout: maker.pick([null, 1, 3]),
        }
      : null,
  };
}
