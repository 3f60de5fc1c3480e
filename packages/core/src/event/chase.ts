import { newId } from './event-id.ts';
import type { FarWait } from './life-parts.ts';
import type { Lifecycle } from './lifecycle.ts';
import { PassedProbes } from './passed-probes.ts';

/**
 * Finds cycles of awaits that lead over other threads, by chasing edges.
 *
 * What needs an event is known where that event is: its parent and the handlers that await it in this thread, and
 * through a far wait in another thread whatever needs it there. With each await of an event that isn't the handler's own
 * child the await climbs from the handler's event; where that leads to another thread, a probe with its token goes on
 * there. One that comes to the awaited event has gone round: the await is refused.
 *
 * Of the awaits of a cycle the one that was made last finds all others in place, wherever they are. A far wait may come
 * later still, when its message was on its way, or an event comes again that is open here already: it lets pass what has
 * come to the event before (see {@link letPass}). So whichever edge closes a cycle, a probe goes round.
 *
 * A probe that passes an await with a greater token than its own, which is a later one, goes on for that: so of awaits
 * that were made at one time, and would all find the cycle, the last is refused and no other. An edge that a probe has
 * passed stands for as long as the await does, unless a limit or an abort ends it: so what is refused is a cycle.
 */
interface Chased {
  readonly awaited: Lifecycle;
  readonly refuse: () => void;
}

/** Awaits of this thread that go on, by their tokens. */
const chased = new Map<string, Chased>();

/** What has come to an event while it was open. */
const passed = new WeakMap<Lifecycle, PassedProbes>();

/**
 * A handler of `own` begins to await an event: refuses it as soon as that turns out to need `own` over other threads.
 *
 * @returns the await's token
 */
export function startChase(own: Lifecycle, awaited: Lifecycle, refuse: () => void): string {
  const token = newId();
  chased.set(token, { awaited, refuse });
  chaseOn(token, own);
  return token;
}

/** The await has ended. */
export function endChase(token: string): void {
  chased.delete(token);
}

/** A probe has come to an event of this thread: it ends here, or goes on from all that needs the event. */
export function chaseOn(token: string, reached: Lifecycle): void {
  const climb = new Climb();
  climb.to(reached, token);
  for (const [event, at] of climb.steps) {
    remember(event, at);
    const chase = chased.get(at);
    if (chase?.awaited === event) {
      // The await that is refused ends, and with it the chase.
      chase.refuse();
      continue;
    }
    if (event.parent !== null) climb.to(event.parent.lifecycle, at);
    for (const { runner, token: other, far: farWait } of event.waits) {
      if (runner !== null && !runner.settled) climb.to(runner.lifecycle, later(at, other));
      farWait?.chase(at);
    }
  }
}

/** The event has a far wait more: what has come to the event goes over that, too. */
export function letPass(event: Lifecycle, farWait: FarWait): void {
  for (const token of passed.get(event)?.tokens() ?? []) farWait.chase(token);
}

function remember(event: Lifecycle, token: string): void {
  if (event.settled) return;
  let probes = passed.get(event);
  if (probes === undefined) passed.set(event, (probes = new PassedProbes()));
  probes.first(token);
}

/** The events of a climb, each once for every token with which it is reached. */
class Climb {
  readonly steps: [Lifecycle, string][] = [];
  readonly #reached = new Map<Lifecycle, string[]>();

  to(event: Lifecycle, token: string): void {
    const tokens = this.#reached.get(event);
    if (tokens?.includes(token) === true) return;
    if (tokens === undefined) this.#reached.set(event, [token]);
    else tokens.push(token);
    this.steps.push([event, token]);
  }
}

/** Tokens are UUIDv7s, which sort by the time of their making. */
function later(token: string, other: string | null | undefined): string {
  return other !== null && other !== undefined && other > token ? other : token;
}
