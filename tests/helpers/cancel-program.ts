import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { BaseEvent, EventBus, type HandlerContext } from '@threadbus/core';
import { linkBuses, type LinkedBus, type LinkOptions } from '@threadbus/link';
import { MessageChannel } from 'node:worker_threads';
import { z } from 'zod';
import { randomNumbers } from '../fixtures/random-numbers.ts';
import { silent } from './quiet-bus.ts';

const First = BaseEvent.extend('First', { depth: z.number() }, { completion: 'first' });
const All = BaseEvent.extend('All', { depth: z.number() });
const types = ['First', 'All', '*'] as const;
const bodies = ['at once', 'next turn', 'sleep', 'throw', 'one child', 'two children'] as const;
/** Seconds in which no handler begins, after which an event that is not complete hangs: each handler has 5. */
const patience = 30;

interface Sent extends PromiseLike<unknown> {
  readonly event: BaseEvent;
}
type Place = EventBus | LinkedBus;

/** What links the buses of a program. */
export interface Carrier {
  join(from: EventBus, to: EventBus, options: LinkOptions): Promise<readonly [LinkedBus, LinkedBus]>;
  /** One of its links is cut off for good, at both ends. */
  lose?(which: number): void;
}

const ports: Carrier = {
  async join(from, to, options) {
    const { port1, port2 } = new MessageChannel();
    return Promise.all([linkBuses(from, port1, options), linkBuses(to, port2, options)]);
  },
};

/**
 * A random program over two to four buses that are linked in a chain or a ring: what the programs of link-program.ts leave
 * out, because it has no one right outcome. Signals that abort at any moment, events that are complete with the first
 * result, several handlers at a time, streams, middleware, a link or a bus that ends in the middle.
 *
 * Whatever happens, all ends, no handler of a bus has an event twice, and nothing is left.
 */
export class CancelProgram {
  readonly violations: string[] = [];
  dispatched = 0;
  readonly #random: () => number;
  readonly #carrier: Carrier;
  readonly #buses: EventBus[] = [];
  /** By bus: those that it is linked with. */
  readonly #remotes: LinkedBus[][] = [];
  readonly #begun = new Set<string>();
  readonly #others: Promise<unknown>[] = [];

  constructor(seed: number, carrier: Carrier = ports) {
    this.#random = randomNumbers(seed);
    this.#carrier = carrier;
  }

  async run(): Promise<void> {
    await this.#join();
    for (const i of this.#buses.keys()) this.#equip(i);
    const sent: Sent[] = [];
    for (let left = 4 + this.#below(12); left > 0; left -= 1) {
      const one = this.#send(this.#below(this.#buses.length), 0);
      if (one !== null) sent.push(one);
      if (this.#chance(0.3)) await turn();
      else if (this.#chance(0.1)) await sleep(this.#below(5));
    }
    const breaks = this.#chance(0.2);
    if (breaks) this.#others.push(this.#break(this.#below(20)));
    await this.#end(sent, breaks);
  }

  async #join(): Promise<void> {
    const count = 2 + this.#below(3);
    const maxInFlight = this.#pick([1, 2, 256]);
    for (let i = 0; i < count; i += 1) {
      const concurrency = this.#chance(0.4) ? 1 + this.#below(4) : 1;
      this.#buses.push(new EventBus({ name: `Bus${i}`, logger: silent, maxPending: null, concurrency }));
      this.#remotes.push([]);
    }
    const isRing = count > 2 && this.#chance(0.4);
    for (let i = 0; i < (isRing ? count : count - 1); i += 1) {
      const [from, to] = [i, (i + 1) % count];
      const [near, far] = [this.#buses[from] as EventBus, this.#buses[to] as EventBus];
      const [down, up] = await this.#carrier.join(near, far, { maxInFlight });
      this.#remotes[from]?.push(down);
      this.#remotes[to]?.push(up);
    }
  }

  #equip(i: number): void {
    const bus = this.#buses[i] as EventBus;
    const remotes = this.#remotes[i] ?? [];
    for (const remote of remotes) if (this.#chance(0.6)) bus.on(this.#pick(types), remote.dispatch);
    for (let h = this.#below(3); h >= 0; h -= 1) this.#handle(i, h);
    if (this.#chance(0.3)) this.#watch(this.#place(i));
    if (this.#chance(0.3))
      bus.use(async (_event, _context, next) => {
        if (this.#chance(0.1)) await sleep(2);
        const result = await next();
        if (this.#chance(0.05)) throw new Error('middleware');
        return result;
      });
  }

  /** A handler of that bus, or a function of it on one that it is linked with. */
  #handle(i: number, h: number): void {
    const at = this.#chance(0.2) ? this.#pick<Place>(this.#remotes[i] ?? []) : (this.#buses[i] as EventBus);
    const body = this.#pick(bodies);
    at.on(this.#pick(types), async (event: BaseEvent, { signal }: HandlerContext) => {
      const key = `handler ${i}.${h}, ${event.event_type}#${event.event_id}`;
      if (this.#begun.has(key)) this.violations.push(`twice: ${key}`);
      this.#begun.add(key);
      await this.#work(body, i, (event as BaseEvent & { depth: number }).depth + 1, signal);
      return h;
    });
  }

  async #work(body: (typeof bodies)[number], i: number, depth: number, signal: AbortSignal): Promise<void> {
    if (body === 'throw' && this.#chance(0.5)) throw new Error('thrown');
    if (body === 'next turn') await turn();
    if (body === 'sleep') await sleep(this.#below(15), undefined, this.#chance(0.5) ? { signal } : {});
    if (depth > 3 || (!body.endsWith('child') && !body.endsWith('children'))) return;
    const children = [this.#send(i, depth), body === 'one child' ? null : this.#send(i, depth)];
    const awaited = children.filter((child) => child !== null && this.#chance(0.8));
    await Promise.allSettled(awaited as Sent[]);
  }

  /** A stream and an `expect`, which are left at some moment. */
  #watch(at: Place): void {
    const signal = AbortSignal.timeout(5 + this.#below(60));
    const stream = async (): Promise<void> => {
      for await (const _ of at.events('*', { signal })) if (this.#chance(0.1)) break;
    };
    this.#others.push(Promise.allSettled([stream(), at.expect('All', { timeout: 0.1, signal })]));
  }

  #send(i: number, depth: number): Sent | null {
    const Kind = this.#chance(0.5) ? First : All;
    const event = new Kind({ depth }, { event_timeout: this.#chance(0.2) ? 0.02 + this.#random() * 0.05 : 5 });
    const at = this.#place(i);
    const options = this.#chance(0.3) ? { signal: this.#signal() } : {};
    this.dispatched += 1;
    try {
      return at.dispatch(event, options);
    } catch {
      // Its bus was stopped, or its link closed.
      return null;
    }
  }

  #signal(): AbortSignal {
    if (this.#chance(0.15)) return AbortSignal.abort(new Error('before'));
    return AbortSignal.timeout(this.#below(25));
  }

  async #break(after: number): Promise<void> {
    await sleep(after);
    if (this.#carrier.lose !== undefined && this.#chance(0.4)) this.#carrier.lose(this.#below(4));
    else if (this.#chance(0.5)) await this.#pick(this.#buses).stop();
    else this.#pick(this.#remotes[0] ?? []).close();
  }

  async #end(sent: readonly Sent[], breaks: boolean): Promise<void> {
    const ended = await this.#within(Promise.allSettled([...sent, ...this.#others]));
    if (!ended) this.violations.push('hangs');
    for (const { event } of ended ? sent : []) {
      const results = [...event.event_results.values()];
      const open = results.filter(({ status }) => status !== 'completed' && status !== 'error');
      if (event.event_status !== 'completed' || open.length > 0)
        this.violations.push(`${event.event_type} is ${event.event_status}, with ${open.length} open results`);
    }
    if (ended && !breaks) {
      const idle = await Promise.all(this.#buses.map(async (bus) => bus.waitUntilIdle({ timeout: patience })));
      const { queued, inProgress } = sum(this.#buses.map((bus) => bus.stats()));
      if (idle.includes(false) || queued + inProgress > 0)
        this.violations.push(`left: ${queued} queued, ${inProgress} in progress`);
    }
    for (const remote of this.#remotes.flat()) remote.close();
    await Promise.all(this.#buses.map(async (bus) => bus.stop({ clear: true })));
  }

  /** A program of a thousand events may take its time; one that hangs goes on with nothing. */
  async #within(work: Promise<unknown>): Promise<boolean> {
    const over = new AbortController();
    const ended = work.then(() => true);
    for (let begun = -1; begun !== this.#begun.size;) {
      begun = this.#begun.size;
      const late = sleep(patience * 1000, false, { signal: over.signal }).catch(() => false);
      if (!(await Promise.race([ended, late]))) continue;
      over.abort();
      return true;
    }
    return false;
  }

  #place(i: number): Place {
    return this.#pick<Place>([this.#buses[i] as EventBus, ...(this.#remotes[i] ?? [])]);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  #pick<T>(of: readonly T[]): T {
    return of[this.#below(of.length)] as T;
  }
}

function sum(all: readonly { readonly queued: number; readonly inProgress: number }[]): {
  queued: number;
  inProgress: number;
} {
  return {
    queued: all.reduce((total, { queued }) => total + queued, 0),
    inProgress: all.reduce((total, { inProgress }) => total + inProgress, 0),
  };
}
