import * as fc from 'fast-check';

/**
 * Random programs of buses: what they are made of, and how fast-check makes and shrinks them.
 *
 * All numbers that name a bus, type, handler or event are taken modulo what there is, so every program makes sense,
 * whatever shrinking has left of it.
 */
export interface Program {
  readonly buses: readonly BusPlan[];
  readonly handlers: readonly HandlerPlan[];
  readonly forwards: readonly ForwardPlan[];
  /** Run side by side, outside any handler. */
  readonly tasks: readonly (readonly Step[])[];
  /** Events of the last type need one result. */
  readonly first: boolean;
}

/** What wraps the handlers of a bus: as they are, with a pause before and microtasks after, not called for the last type. */
export type Wrap = 'pass' | 'late' | 'block';

export interface BusPlan {
  readonly parallel: boolean;
  readonly concurrency: number | null;
  readonly wraps: readonly Wrap[];
  readonly maxPending: number | null;
  readonly maxHistorySize: number | null;
  readonly maxRecursionDepth: number | null;
}

export interface HandlerPlan {
  readonly bus: number;
  /** 0 stands for '*'. */
  readonly type: number;
  readonly once: boolean;
  /** A synchronous function: leaves out the steps that wait. */
  readonly sync: boolean;
  /** `on(…, { timeout })` in milliseconds. */
  readonly timeout: number | null;
  readonly steps: readonly Step[];
  readonly end: 'value' | 'nothing' | 'error' | 'throw' | 'dispatch';
}

/** `from.on(type, to.dispatch)` */
interface ForwardPlan {
  readonly from: number;
  readonly to: number;
  readonly type: number;
}

export interface Call {
  readonly bus: number;
  readonly type: number;
  /** `event_timeout` in milliseconds. */
  readonly timeout: number | null;
  readonly detached: boolean;
  /** It has a signal of its own. */
  readonly cancellable: boolean;
}

/** One of the events that the same code dispatched, or of all. */
export interface Target {
  readonly own: boolean;
  readonly index: number;
}

export type AwaitForm = 'dispatch' | 'completed' | 'result' | 'results' | 'one-result' | 'brief';
export type Pause = 'microtask' | 'immediate' | 'timer';

export type Step =
  | { readonly do: 'pause'; readonly pause: Pause }
  | { readonly do: 'dispatch'; readonly call: Call }
  | { readonly do: 'call'; readonly call: Call; readonly form: AwaitForm }
  | {
      readonly do: 'all';
      readonly calls: readonly Call[];
      readonly targets: readonly Target[];
      readonly form: AwaitForm;
    }
  | { readonly do: 'await'; readonly target: Target; readonly form: AwaitForm }
  /** Aborts the signal of the event, or of the next one that has a signal. */
  | { readonly do: 'cancel'; readonly target: Target }
  | { readonly do: 'redispatch'; readonly target: Target; readonly bus: number }
  /** Hands the handler's own event to another bus. */
  | { readonly do: 'forward'; readonly bus: number; readonly awaited: boolean }
  | { readonly do: 'capacity'; readonly call: Call }
  | { readonly do: 'stop'; readonly bus: number; readonly patience: number }
  | { readonly do: 'idle'; readonly bus: number }
  | { readonly do: 'off' | 'on'; readonly handler: number }
  /** Goes on when the handler has settled. */
  | { readonly do: 'late'; readonly steps: readonly Step[] };

const bus = fc.nat(3);
const type = fc.nat(3);
const target: fc.Arbitrary<Target> = fc.record({ own: fc.boolean(), index: fc.nat(7) });
const form = fc.constantFrom<AwaitForm[]>('dispatch', 'completed', 'result', 'results', 'one-result', 'brief');
const rarely = (weight: number): fc.Arbitrary<boolean> =>
  fc.oneof({ arbitrary: fc.constant(false), weight: weight - 1 }, { arbitrary: fc.constant(true), weight: 1 });

function orNull(weight: number, arbitrary: fc.Arbitrary<number>): fc.Arbitrary<number | null> {
  return fc.oneof({ arbitrary: fc.constant(null), weight }, { arbitrary, weight: 1 });
}

const call: fc.Arbitrary<Call> = fc.record({
  bus,
  type,
  timeout: orNull(30, fc.integer({ min: 1, max: 4 })),
  detached: rarely(15),
  cancellable: rarely(4),
});

const pause = fc.oneof(
  { arbitrary: fc.constant<Pause>('microtask'), weight: 12 },
  { arbitrary: fc.constant<Pause>('immediate'), weight: 6 },
  { arbitrary: fc.constant<Pause>('timer'), weight: 1 },
);

function steps(depth: number): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    { arbitrary: fc.record({ do: fc.constant('pause' as const), pause }), weight: 12 },
    { arbitrary: fc.record({ do: fc.constant('dispatch' as const), call }), weight: 14 },
    { arbitrary: fc.record({ do: fc.constant('call' as const), call, form }), weight: 14 },
    { arbitrary: fc.record({ do: fc.constant('await' as const), target, form }), weight: 14 },
    { arbitrary: all, weight: 6 },
    { arbitrary: fc.record({ do: fc.constant('cancel' as const), target }), weight: 2 },
    { arbitrary: fc.record({ do: fc.constant('redispatch' as const), target, bus }), weight: 2 },
    { arbitrary: fc.record({ do: fc.constant('forward' as const), bus, awaited: rarely(6) }), weight: 3 },
    { arbitrary: fc.record({ do: fc.constant('capacity' as const), call }), weight: 3 },
    { arbitrary: fc.record({ do: fc.constant('stop' as const), bus, patience: fc.constantFrom(0, 0, 2) }), weight: 1 },
    { arbitrary: fc.record({ do: fc.constant('idle' as const), bus }), weight: 1 },
    { arbitrary: fc.record({ do: fc.constantFrom('off' as const, 'on' as const), handler: fc.nat(7) }), weight: 2 },
    ...(depth > 0
      ? [{ arbitrary: fc.record({ do: fc.constant('late' as const), steps: steps(depth - 1) }), weight: 2 }]
      : []),
  );
  return fc.array(step, { maxLength: depth > 0 ? 5 : 3 });
}

const all: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('all' as const),
  calls: fc.array(call, { maxLength: 3 }),
  targets: fc.array(target, { maxLength: 2 }),
  form,
});

const busPlan: fc.Arbitrary<BusPlan> = fc.record({
  parallel: rarely(4),
  concurrency: fc.oneof(
    { arbitrary: fc.constant(1), weight: 8 },
    { arbitrary: fc.integer({ min: 1, max: 8 }), weight: 8 },
    { arbitrary: fc.constant(null), weight: 1 },
  ),
  wraps: fc.oneof(
    { arbitrary: fc.constant<Wrap[]>([]), weight: 3 },
    { arbitrary: fc.array(fc.constantFrom<Wrap[]>('pass', 'late', 'block'), { maxLength: 2 }), weight: 1 },
  ),
  maxPending: orNull(3, fc.integer({ min: 1, max: 4 })),
  maxHistorySize: fc.constantFrom(0, 1, 5, null),
  maxRecursionDepth: fc.constantFrom(null, null, 50, 1),
});

const handlerPlan: fc.Arbitrary<HandlerPlan> = fc.record({
  bus,
  type,
  once: rarely(12),
  sync: rarely(4),
  timeout: orNull(40, fc.integer({ min: 1, max: 4 })),
  steps: steps(1),
  end: fc.constantFrom('value', 'value', 'value', 'nothing', 'error', 'throw', 'dispatch'),
});

export const programs: fc.Arbitrary<Program> = fc.record({
  buses: fc.array(busPlan, { minLength: 1, maxLength: 4 }),
  handlers: fc.array(handlerPlan, { minLength: 1, maxLength: 7 }),
  forwards: fc.array(fc.record({ from: bus, to: bus, type }), { maxLength: 4 }),
  tasks: fc.array(
    fc
      .tuple(fc.record({ do: fc.constant('dispatch' as const), call }), steps(0))
      .map(([first, more]) => [first, ...more]),
    { minLength: 1, maxLength: 3 },
  ),
  first: rarely(3),
});
