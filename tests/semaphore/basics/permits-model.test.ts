import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  claim,
  reap,
  release,
  type Step,
  type StepResult,
} from '../../../packages/semaphore/dist/basics/slot-steps.js';

// The shipped steps of taking, freeing and reclaiming a slot, for calls that want several slots at once, on a model of
// the folder: its flags, and the tickets of those who wait. As in lockfile-slots.ts only the first in line collects, and
// gives back what it has got as soon as it sees somebody before it. A call's place in line is known before its ticket is
// there, so that two may believe to be the first for a while. Each call may crash before any of its calls of the system.

const LIMIT = 2;

/** One call of the system: of a slot, or of the line. */
type Call =
  | { readonly slot: number; readonly step: Step }
  | { readonly line: 'stand' | 'leave' | 'list' }
  | { readonly isDead: number };

type Answer = StepResult & { readonly tickets?: readonly number[] };
type Program = Generator<Call, 'held' | 'gone', Answer>;

interface World {
  /** By slot. */
  readonly flags: readonly (readonly string[])[];
  readonly tickets: readonly number[];
  readonly crashed: readonly number[];
}

const empty: World = { flags: Array.from({ length: LIMIT }, () => []), tickets: [], crashed: [] };

/** What the call of one actor does, and what it is told. */
function carryOut(world: World, call: Call, actor: number): { world: World; answer: Answer } {
  if ('isDead' in call) return { world, answer: { dead: world.crashed.includes(call.isDead) } };
  if ('line' in call) {
    if (call.line === 'list') return { world, answer: { tickets: world.tickets } };
    const others = world.tickets.filter((ticket) => ticket !== actor);
    const tickets = call.line === 'stand' ? [...others, actor].sort((a, b) => a - b) : others;
    return { world: { ...world, tickets }, answer: {} };
  }
  const { slot, step } = call;
  const flags = world.flags[slot] ?? [];
  const become = (changed: readonly string[]): World => ({
    ...world,
    flags: world.flags.map((others, at) => (at === slot ? changed : others)),
  });
  if (step.call === 'list') return { world, answer: { flags } };
  if (step.call === 'create') return { world: become([...flags, step.flag].sort()), answer: {} };
  if (step.call === 'isDead')
    return { world, answer: { dead: world.crashed.includes(Number.parseInt(step.flag, 10)) } };
  if (!flags.includes(step.flag)) return { world, answer: { code: 'ENOENT' } };
  return { world: become(flags.filter((flag) => flag !== step.flag)), answer: {} };
}

function* ofSlot<Result>(slot: number, steps: Generator<Step, Result, StepResult>): Generator<Call, Result, Answer> {
  let next = steps.next();
  while (next.done !== true) next = steps.next(yield { slot, step: next.value });
  return next.value;
}

interface Rules {
  /** Whether a call whose turn it isn't gives back what it has got. */
  readonly standsBack: boolean;
  /** Takes a slot. */
  readonly claim: typeof claim;
}

const shipped: Rules = { standsBack: true, claim };

/** One call, from its ticket until it holds, or has left after so many looks. */
function* waits(actor: number, permits: number, looks: number, rules: Rules, got: Map<number, string>): Program {
  yield { line: 'stand' };
  for (let look = 0; look < looks; look++) {
    if (yield* isFirst(actor)) {
      for (let slot = 0; slot < LIMIT && got.size < permits; slot++) {
        if (got.has(slot) || (yield* ofSlot(slot, reap())) === 'busy') continue;
        const flag = `${actor}.${look}`;
        if ((yield* ofSlot(slot, rules.claim(flag))) === 'held') got.set(slot, flag);
      }
    } else if (rules.standsBack) yield* giveBack(got);
    if (got.size === permits) {
      yield { line: 'leave' };
      return 'held';
    }
  }
  yield* giveBack(got);
  yield { line: 'leave' };
  return 'gone';
}

function* isFirst(actor: number): Generator<Call, boolean, Answer> {
  const { tickets = [] } = yield { line: 'list' };
  for (const ticket of tickets) {
    if (ticket === actor) return true;
    const { dead } = yield { isDead: ticket };
    if (dead !== true) return false;
  }
  return true;
}

function* giveBack(got: Map<number, string>): Generator<Call, void, Answer> {
  for (const [slot, flag] of got) {
    // From here on it does not count on the slot.
    got.delete(slot);
    yield* ofSlot(slot, release(flag));
  }
}

interface Actor {
  readonly permits: number;
  readonly got: Map<number, string>;
  readonly program: Program;
  next: Call | null;
  state: 'waits' | 'holds' | 'gone' | 'crashed';
}

/** The actors of one run, which the schedule moves one call at a time. */
class Run {
  world = empty;
  readonly actors: readonly Actor[];

  constructor(wants: readonly number[], looks: number, rules: Rules) {
    this.actors = wants.map((permits, index) => {
      const got = new Map<number, string>();
      const program = waits(index, permits, looks, rules, got);
      return { permits, got, program, next: program.next().value as Call, state: 'waits' };
    });
  }

  /** @returns false if it has nothing to do */
  step(index: number): boolean {
    const actor = this.actors[index];
    if (actor === undefined || actor.state === 'gone' || actor.state === 'crashed') return false;
    if (actor.state === 'holds') {
      this.#end(index, actor);
      return true;
    }
    const { world, answer } = carryOut(this.world, actor.next as Call, index);
    this.world = world;
    const next = actor.program.next(answer);
    if (next.done === true) actor.state = next.value === 'held' ? 'holds' : 'gone';
    else actor.next = next.value;
    return true;
  }

  crash(index: number): void {
    const actor = this.actors[index];
    if (actor === undefined || actor.state === 'gone') return;
    actor.state = 'crashed';
    this.world = { ...this.world, crashed: [...this.world.crashed, index] };
  }

  /** Slots of those who hold: more than there are, or one of two, would be a violation. */
  get isSound(): boolean {
    const held = this.actors.filter(({ state }) => state === 'holds').flatMap(({ got }) => [...got.keys()]);
    return held.length <= LIMIT && new Set(held).size === held.length;
  }

  /** Whoever is left goes on, one call each in turn. @returns whether all of them have held, in so many turns */
  finish(turns: number): boolean {
    for (let turn = 0; turn < turns; turn++) {
      const isBusy = this.actors.map((_, index) => this.step(index)).includes(true);
      if (!this.isSound) return false;
      if (!isBusy) return true;
    }
    return false;
  }

  #end(index: number, actor: Actor): void {
    for (const [slot, flag] of actor.got) {
      this.world = carryOut(this.world, { slot, step: { call: 'unlink', flag } }, index).world;
    }
    actor.got.clear();
    actor.state = 'gone';
  }
}

/** What is wrong in a run by a random schedule: negative numbers crash. */
function verdict(wants: readonly number[], schedule: readonly number[], rules: Rules): string {
  const run = new Run(wants, Number.POSITIVE_INFINITY, rules);
  for (const [at, choice] of schedule.entries()) {
    if (choice < 0) run.crash(-choice - 1);
    else run.step(choice);
    if (!run.isSound) return `more than the limit after ${at + 1} steps`;
  }
  if (!run.finish(2_000)) return run.isSound ? 'somebody waits for ever' : 'more than the limit';
  // What the dead left is free for one who wants all of it.
  const late = new Run([...wants, LIMIT], Number.POSITIVE_INFINITY, rules);
  late.world = run.world;
  for (const [index, actor] of late.actors.entries()) if (index < wants.length) actor.state = 'crashed';
  late.world = { ...run.world, crashed: wants.map((_, index) => index) };
  return late.finish(200) ? 'sound' : 'slots are lost';
}

const wants = fc.array(fc.integer({ min: 1, max: LIMIT }), { minLength: 2, maxLength: 4 });
const schedule = fc.array(
  fc.oneof({ weight: 30, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.integer({ min: -4, max: -1 }) }),
  { maxLength: 150 },
);

function found(rules: Rules): string {
  const wrong = fc.check(
    fc.property(wants, schedule, (permits, order) => verdict(permits, order, rules) === 'sound'),
    { numRuns: 3_000, seed: 20261130 },
  );
  return wrong.counterexample === null ? 'sound' : verdict(...wrong.counterexample, rules);
}

test('permits model - random orders and crashes: never more than the limit, nobody waits for ever, nothing is lost', () => {
  expect(found(shipped)).toBe('sound');
});

test('permits model - every order of a big call and a small one: never more than the limit', () => {
  // All schedules of a length, each of two letters: who moves; then the rest in turn.
  const length = 13;
  const bad: string[] = [];
  for (const permits of [
    [2, 1],
    [1, 2],
    [2, 2],
  ]) {
    for (let bits = 0; bits < 2 ** length; bits++) {
      const order = Array.from({ length }, (_, at) => (bits >> at) & 1);
      const outcome = verdict(permits, order, shipped);
      if (outcome !== 'sound') bad.push(`${permits.join()} ${order.join('')}: ${outcome}`);
    }
  }
  expect(bad).toEqual([]);
});

test('permits model - the check finds two that keep what they have got of what both want', () => {
  expect(found({ ...shipped, standsBack: false })).toBe('somebody waits for ever');
});

test('permits model - the check finds a claim that does not look at who else is there', () => {
  function* careless(flag: string): ReturnType<typeof claim> {
    const { flags = [] } = yield { call: 'list' };
    if (flags.length > 0) return 'busy';
    yield { call: 'create', flag };
    return 'held';
  }
  expect(found({ ...shipped, claim: careless })).toContain('more than the limit');
});

test('permits model - the check finds a claim that leaves its flag where it lost', () => {
  function* messy(flag: string): ReturnType<typeof claim> {
    yield { call: 'create', flag };
    const { flags = [] } = yield { call: 'list' };
    return flags.length === 1 ? 'held' : 'busy';
  }
  expect(found({ ...shipped, claim: messy })).not.toBe('sound');
});
