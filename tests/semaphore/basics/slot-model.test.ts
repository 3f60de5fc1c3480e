import { expect, test } from 'vitest';
import {
  claim,
  reap,
  release,
  type Step,
  type StepResult,
  type Steps,
} from '../../../packages/semaphore/dist/basics/slot-steps.js';

// Runs the shipped steps of taking, freeing and reclaiming a slot on a model of the file system: every interleaving of
// three actors, each of which may crash before any of its calls. Two states with the same flags, and with every
// actor at the same place of its program, are one: so all of them can be visited.

interface Programs {
  readonly claim: typeof claim;
  readonly release: typeof release;
  readonly reap: typeof reap;
}

type Phase = 'reap' | 'claim' | 'hold' | 'release' | 'done' | 'crashed';

/** Where an actor is: the part of its program, the answers it got there, how many tries it has left. */
interface Actor {
  readonly phase: Phase;
  readonly answers: readonly StepResult[];
  readonly tries: number;
}

interface World {
  /** The flags of the slot. */
  readonly flags: readonly string[];
  readonly actors: readonly Actor[];
}

const sorted = (flags: string[]): string[] => {
  flags.sort();
  return flags;
};

const replaced = (actors: readonly Actor[], index: number, actor: Actor): Actor[] =>
  actors.map((other, at) => (at === index ? actor : other));

const flagOf = (index: number, tries: number): string => `${index}.${tries}`;

function steps(programs: Programs, actor: Actor, index: number): Steps<unknown> | undefined {
  const flag = flagOf(index, actor.tries);
  if (actor.phase === 'reap') return programs.reap();
  if (actor.phase === 'claim') return programs.claim(flag);
  if (actor.phase === 'release') return programs.release(flag);
  return undefined;
}

/** Starts the actor's part of the program again, and gives it the answers that it has had. */
function replay(programs: Programs, actor: Actor, index: number): IteratorResult<Step, unknown> | undefined {
  const run = steps(programs, actor, index);
  let next = run?.next();
  for (const answer of actor.answers) next = run?.next(answer);
  return next;
}

/** What the next call of one actor does to the slot's flags, and what it answers. */
function carryOut({ flags, actors }: World, step: Step): { flags: World['flags']; answer: StepResult } {
  if (step.call === 'list') return { flags, answer: { flags: [...flags] } };
  if (step.call === 'create') return { flags: sorted([...flags, step.flag]), answer: {} };
  if (step.call === 'isDead') {
    const index = Number.parseInt(step.flag, 10);
    return { flags, answer: { dead: index < 0 || actors[index]?.phase === 'crashed' } };
  }
  if (!flags.includes(step.flag)) return { flags, answer: { code: 'ENOENT' } };
  return { flags: flags.filter((flag) => flag !== step.flag), answer: {} };
}

/** The actor after one more answer: on to the next part of the program once this one is through. */
function advance(programs: Programs, actor: Actor, index: number, answer: StepResult): Actor {
  const waiting = { ...actor, answers: [...actor.answers, answer] };
  const next = replay(programs, waiting, index);
  if (next?.done !== true) return waiting;
  const start = (phase: Phase, tries = actor.tries): Actor => ({ phase, answers: [], tries });
  if (actor.phase === 'claim' && next.value === 'held') return start('hold');
  if (actor.phase === 'reap') return next.value === 'free' ? start('claim') : again(actor);
  if (actor.phase === 'claim') return again(actor);
  return start('done');
}

const again = ({ tries }: Actor): Actor => ({ phase: tries > 1 ? 'reap' : 'done', answers: [], tries: tries - 1 });

/** An actor owns the slot from the answer that says so until its flag is removed; a crashed one works no more. */
const isOwner = ({ phase, answers }: Actor): boolean =>
  phase === 'hold' || (phase === 'release' && answers.length === 0);

function* successors(programs: Programs, world: World): Generator<World> {
  for (const [index, actor] of world.actors.entries()) {
    const become = (next: Actor): World => ({ flags: world.flags, actors: replaced(world.actors, index, next) });
    if (actor.phase === 'done' || actor.phase === 'crashed') continue;
    yield become({ phase: 'crashed', answers: [], tries: 0 });
    if (actor.phase === 'hold') {
      yield become({ ...actor, phase: 'release', answers: [] });
      continue;
    }
    const next = replay(programs, actor, index);
    if (next === undefined || next.done === true) throw new Error('Expected an actor at work to have a next step.');
    const { flags, answer } = carryOut(world, next.value);
    yield { flags, actors: replaced(world.actors, index, advance(programs, actor, index, answer)) };
  }
}

/** Whether someone who comes when all is over gets the slot at the first try. */
function isFreeAfterwards(programs: Programs, world: World): boolean {
  let late: World = { flags: world.flags, actors: [...world.actors, { phase: 'reap', answers: [], tries: 1 }] };
  const index = world.actors.length;
  for (;;) {
    const actor = late.actors[index];
    if (actor === undefined || actor.phase === 'done') return false;
    if (actor.phase === 'hold') return true;
    const next = replay(programs, actor, index);
    if (next === undefined || next.done === true) return false;
    const { flags, answer } = carryOut(late, next.value);
    late = { flags, actors: replaced(late.actors, index, advance(programs, actor, index, answer)) };
  }
}

interface Verdict {
  readonly states: number;
  readonly endings: number;
  /** Set at the first state in which two own the slot. */
  readonly twoOwners: boolean;
  /** Set at the first ending after which the slot never comes free. */
  readonly stuck: boolean;
}

function explore(
  flags: World['flags'],
  tries: readonly number[],
  programs: Programs = { claim, release, reap },
): Verdict {
  const start: World = { flags, actors: tries.map((count) => ({ phase: 'reap', answers: [], tries: count })) };
  const seen = new Set([JSON.stringify(start)]);
  const open = [start];
  let endings = 0;
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    if (world.actors.filter(isOwner).length > 1) return { states: seen.size, endings, twoOwners: true, stuck: false };
    let isEnding = true;
    for (const next of successors(programs, world)) {
      isEnding = false;
      const key = JSON.stringify(next);
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(next);
    }
    if (!isEnding) continue;
    endings++;
    if (!isFreeAfterwards(programs, world)) return { states: seen.size, endings, twoOwners: false, stuck: true };
  }
  return { states: seen.size, endings, twoOwners: false, stuck: false };
}

const sound = { twoOwners: false, stuck: false };
/** Flags of actors that were dead from the start have negative numbers. */
const beginnings: [string, World['flags']][] = [
  ['a free slot', []],
  ["a dead owner's slot", ['-1.1']],
  ['a slot that two died over', ['-1.1', '-2.1']],
];

for (const [name, flags] of beginnings) {
  test(`slot model - three actors and crashes at every step never give two owners: ${name}`, () => {
    const verdict = explore(flags, [2, 2, 1]);
    expect(verdict).toMatchObject(sound);
    expect(verdict.states).toBeGreaterThan(5000);
    expect(verdict.endings).toBeGreaterThan(50);
  });
}

test('slot model - two actors that try again and again, with crashes, never own the slot together', () => {
  expect(explore(['-1.1'], [3, 3])).toMatchObject(sound);
});

test('slot model - the check finds a claim that does not look at who else is there', () => {
  function* careless(flag: string): ReturnType<typeof claim> {
    const { flags = [] } = yield { call: 'list' };
    if (flags.length > 0) return 'busy';
    const created = yield { call: 'create', flag };
    return created.code === undefined ? 'held' : 'busy';
  }
  expect(explore([], [1, 1, 1], { claim: careless, release, reap })).toMatchObject({ twoOwners: true });
});

test('slot model - the check finds a reclaimer that evicts without proof', () => {
  function* rash(): ReturnType<typeof reap> {
    const { flags = [] } = yield { call: 'list' };
    for (const flag of flags) yield { call: 'unlink', flag };
    return 'free';
  }
  expect(explore([], [1, 1, 1], { claim, release, reap: rash })).toMatchObject({ twoOwners: true });
});

test('slot model - the check finds a reclaimer that gives up where two have died', () => {
  function* timid(): ReturnType<typeof reap> {
    const { flags = [] } = yield { call: 'list' };
    if (flags.length > 1) return 'busy';
    return yield* reap();
  }
  expect(explore(['-1.1'], [1, 1, 1], { claim, release, reap: timid })).toMatchObject({ stuck: true });
});

test('slot model - the check finds a claim that leaves its flag where it lost', () => {
  function* messy(flag: string): ReturnType<typeof claim> {
    yield { call: 'create', flag };
    const { flags = [] } = yield { call: 'list' };
    return flags.length === 1 ? 'held' : 'busy';
  }
  expect(explore([], [1, 1], { claim: messy, release, reap })).toMatchObject({ stuck: true });
});
