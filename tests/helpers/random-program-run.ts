import { BaseEvent, type EventBus, type Dispatch, type HandlerContext, type Subscription } from '@threadbus/core';
import { busEngine } from '@threadbus/core/internal';
import type { AwaitForm, Call, HandlerPlan, Pause, Program, Step, Target } from './random-program.ts';
import { awaitSent } from './random-program-await.ts';
import { ProgramBus } from './random-program-bus.ts';
import { Journal } from './random-program-journal.ts';
import type { Activity, BusWatch, Sent } from './random-program-records.ts';
import { noTally, type Tally } from './random-program-tally.ts';

/** Who runs steps: a handler's body, or the program itself. */
interface Actor {
  readonly activity: Activity | null;
  readonly sent: Sent[];
}

const eventTypes = [0, 1, 2, 3].map((number) => BaseEvent.extend(`Type${number}`, {}, { timeout: null }));
const FirstType = BaseEvent.extend('Type3', {}, { timeout: null, completion: 'first' });
/** Events of one program, at most. */
const fuel = 30;
const stuckAfterTurns = 300;
const stuckAfterMs = 300;

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Runs a program for real. @throws Error that says which rule it broke */
export async function runProgram(program: Program): Promise<Tally> {
  const run = new ProgramRun(program);
  return run.run();
}

class ProgramRun {
  readonly #program: Program;
  readonly #journal = new Journal();
  readonly #buses: readonly ProgramBus[];
  readonly #handlers: { readonly register: () => Subscription; subscription: Subscription }[] = [];
  readonly #sent: Sent[] = [];
  readonly #tally: Tally = noTally();
  #fuel = fuel;
  #calm = true;

  constructor(program: Program) {
    this.#program = program;
    this.#buses = program.buses.map((plan) => new ProgramBus(plan, this.#journal, () => (this.#tally.wrapped += 1)));
    if (program.first) this.#calm = false;
    program.handlers.forEach((plan, index) => this.#register(plan, index));
    for (const { from, to, type } of program.forwards) {
      this.#watch(from).bus.on(patternOf(type), this.#watch(to).bus.dispatch);
    }
  }

  async run(): Promise<Tally> {
    for (const steps of this.#program.tasks) this.#start(steps, { activity: null, sent: [] });
    await this.#untilFinished();
    for (const bus of this.#buses) bus.checkFilter();
    for (const { watch } of this.#buses) await this.#checkIdle(watch.bus);
    this.#journal.check(this.#calm);
    for (const bus of this.#buses) await bus.stop();
    if (this.#journal.violations.length > 0) throw new Error(this.#journal.violations.join('\n'));
    this.#tally.handlers = this.#journal.activities.length;
    this.#tally.beside = this.#journal.beside;
    this.#tally.aborted = this.#journal.activities.filter(({ ended }) => ended).length;
    return this.#tally;
  }

  /** Waits without a limit of its own: stuck is a program in which nothing happens any more, turn after turn. */
  async #untilFinished(): Promise<void> {
    const journal = this.#journal;
    let clock = -1;
    let turns = 0;
    let since = performance.now();
    while (!journal.finished) {
      await nextTurn();
      turns += 1;
      if (journal.clock !== clock || journal.sleeping > 0) {
        clock = journal.clock;
        turns = 0;
        since = performance.now();
      } else if (turns > stuckAfterTurns && performance.now() - since > stuckAfterMs) {
        throw new Error([journal.stuck(), ...journal.violations].join('\n'));
      }
    }
  }

  async #checkIdle(bus: EventBus): Promise<void> {
    const { capacity, loop, history, stopped } = busEngine(bus);
    const left = { pending: capacity.pending, queued: loop.queued, open: history.openSize };
    if (left.pending + left.queued + left.open > 0)
      this.#journal.violation(`${bus.name} is done but has ${JSON.stringify(left)}`);
    if (stopped) return;
    if (!(await bus.waitUntilIdle({ timeout: 0 }))) this.#journal.violation(`${bus.name} is not idle`);
    // A loop that still counts a handler as in progress would never start this one.
    bus.off('Probe');
    const probe = bus.dispatch(new BaseEvent({}, { event_type: 'Probe', event_timeout: null }));
    for (let turn = 0; turn < 50 && probe.event.event_status !== 'completed'; turn += 1) await nextTurn();
    if (probe.event.event_status !== 'completed') this.#journal.violation(`${bus.name} doesn't go on`);
  }

  #watch(index: number): BusWatch {
    return (this.#buses[index % this.#buses.length] as ProgramBus).watch;
  }

  #register(plan: HandlerPlan, index: number): void {
    const watch = this.#watch(plan.bus);
    const name = `handler${index}`;
    const handler = (event: BaseEvent, context: HandlerContext): unknown => {
      const sent = this.#journal.events.get(event);
      if (sent === undefined) return null;
      const actor = { activity: this.#journal.begin(sent, plan, name, watch, context), sent: [] };
      return plan.sync ? this.#syncBody(plan, actor) : this.#asyncBody(plan, actor);
    };
    Object.defineProperty(handler, 'name', { value: name });
    if (plan.timeout !== null) this.#calm = false;
    const options = { once: plan.once, timeout: plan.timeout === null ? null : plan.timeout / 1000 };
    const register = (): Subscription => watch.bus.on(patternOf(plan.type), handler, options);
    this.#handlers.push({ register, subscription: register() });
  }

  #syncBody(plan: HandlerPlan, actor: Actor & { readonly activity: Activity }): unknown {
    for (const step of plan.steps) void this.#step(step, actor, true);
    return this.#finish(plan, actor);
  }

  async #asyncBody(plan: HandlerPlan, actor: Actor & { readonly activity: Activity }): Promise<unknown> {
    for (const step of plan.steps) await this.#step(step, actor, false);
    const outcome = this.#finish(plan, actor);
    // Returned as it is, a Dispatch would be awaited by the promise.
    return outcome instanceof BaseEvent || outcome === null || typeof outcome !== 'object' || outcome instanceof Error
      ? outcome
      : null;
  }

  #finish({ steps, end, bus }: HandlerPlan, { activity }: { readonly activity: Activity }): unknown {
    for (const step of steps) {
      if (step.do === 'late') this.#later(step.steps, { activity, sent: [] });
    }
    if (end === 'throw') {
      const error = new Error(`thrown by ${activity.toString()}`);
      this.#journal.end(activity, { error });
      throw error;
    }
    if (end === 'error') {
      const error = new Error(`returned by ${activity.toString()}`);
      this.#journal.end(activity, { error });
      return error;
    }
    if (end === 'dispatch' && activity.plan?.sync === true) {
      const dispatch = this.#forward(activity, bus + 1);
      this.#journal.end(activity, { value: dispatch === null ? null : dispatch.event });
      return dispatch;
    }
    const value = end === 'value' ? activity.number : null;
    this.#journal.end(activity, { value });
    return value;
  }

  #start(steps: readonly Step[], actor: Actor): void {
    this.#journal.unfinished += 1;
    void this.#task(steps, actor);
  }

  /** In the context of the calling handler, once that has settled. */
  #later(steps: readonly Step[], actor: Actor): void {
    this.#journal.unfinished += 1;
    setImmediate(() => void this.#task(steps, actor));
  }

  async #task(steps: readonly Step[], actor: Actor): Promise<void> {
    try {
      for (const step of steps) await this.#step(step, actor, false);
    } catch (error) {
      this.#journal.violation(`a task failed: ${String((error as Error).stack)}`);
    }
    this.#journal.unfinished -= 1;
  }

  async #step(step: Step, actor: Actor, sync: boolean): Promise<void> {
    switch (step.do) {
      case 'dispatch':
        this.#dispatch(step.call, actor);
        break;
      case 'cancel':
        this.#cancel(step.target, actor);
        break;
      case 'redispatch':
        this.#redispatch(this.#pick(step.target, actor), step.bus);
        break;
      case 'forward':
        await this.#forwardStep(step.bus, step.awaited && !sync, actor);
        break;
      case 'off':
      case 'on':
        this.#switch(step.do, step.handler);
        break;
      case 'stop':
        await this.#stop(step.bus, sync ? 0 : step.patience, actor);
        break;
      case 'late':
        break;
      case 'pause':
      case 'call':
      case 'await':
      case 'all':
      case 'capacity':
      case 'idle':
        if (!sync) await this.#waitingStep(step, actor);
    }
  }

  async #waitingStep(step: Step, actor: Actor): Promise<void> {
    if (step.do === 'pause') await this.#pause(step.pause, actor);
    if (step.do === 'call') await this.#await(this.#dispatch(step.call, actor), step.form, actor);
    if (step.do === 'await') await this.#await(this.#pick(step.target, actor), step.form, actor);
    if (step.do === 'capacity') await this.#capacity(step.call, actor);
    if (step.do === 'idle') await this.#idle(step.bus, actor);
    if (step.do === 'all') {
      const sent = [
        ...step.calls.map((call) => this.#dispatch(call, actor)),
        ...step.targets.map((target) => this.#pick(target, actor)),
      ];
      await Promise.all(sent.map((one) => this.#await(one, step.form, actor)));
    }
  }

  async #pause(pause: Pause, { activity }: Actor): Promise<void> {
    if (pause === 'microtask') return;
    this.#journal.sleeping += 1;
    if (pause === 'immediate') await nextTurn();
    else {
      // Beyond the time of an event that has little.
      const ms = (activity?.sent.event.event_timeout ?? 0) * 1000 + 1;
      await new Promise((resolve) => void setTimeout(resolve, ms));
    }
    this.#journal.sleeping -= 1;
    this.#journal.clock += 1;
  }

  #cancel(target: Target, actor: Actor): void {
    const list = target.own ? actor.sent : this.#sent;
    const cancellable = list.filter(({ controller }) => controller !== null && !controller.signal.aborted);
    const sent = cancellable[target.index % cancellable.length];
    if (sent === undefined) return;
    this.#calm = false;
    this.#tally.cancels += 1;
    this.#journal.cancel(sent, new Error(`${sent.toString()} is not wanted any more`));
  }

  #dispatch({ bus, type, timeout, detached, cancellable }: Call, { activity, sent: own }: Actor): Sent | null {
    if (this.#fuel === 0) return null;
    this.#fuel -= 1;
    const first = this.#program.first && type === 3;
    const Type = first ? FirstType : (eventTypes[type] as (typeof eventTypes)[number]);
    if (timeout !== null) this.#calm = false;
    const event = new Type({}, { event_timeout: timeout === null ? null : timeout / 1000 });
    const sent = this.#journal.send(event, detached ? null : activity, detached);
    sent.first = first;
    if (cancellable) sent.controller = new AbortController();
    const signal = sent.controller?.signal;
    const target = this.#watch(bus).bus;
    const dispatch = this.#try(target, () => target.dispatch(event, { detached, signal }));
    if (dispatch === null) {
      this.#journal.events.delete(event);
      if (event.event_path.length > 0 || event.event_parent_id !== null || event.event_status !== 'pending')
        this.#journal.violation(`${sent.toString()} was refused, but not without a trace`);
      return null;
    }
    if (event.event_status !== 'pending') this.#journal.violation(`${sent.toString()} started within dispatch`);
    sent.dispatch = dispatch;
    if (sent.linked) sent.by?.sent.children.push(sent);
    this.#tally.events += 1;
    if (first) this.#tally.firsts += 1;
    this.#sent.push(sent);
    own.push(sent);
    return sent;
  }

  /** A bus may refuse because it was stopped or is full, for no other reason. */
  #try<T>(bus: EventBus, action: () => T): T | null {
    try {
      return action();
    } catch (error) {
      this.#refused(bus, error);
      return null;
    }
  }

  #refused(bus: EventBus, error: unknown): void {
    this.#tally.refusals += 1;
    const { stopped, capacity } = busEngine(bus);
    const { name } = error as Error;
    const fine = name === 'BusStoppedError' ? stopped : name === 'BusCapacityError' && capacity.limit !== null;
    if (!fine) this.#journal.violation(`${bus.name} refused: ${String((error as Error).stack)}`);
  }

  #redispatch(sent: Sent | null, index: number): Dispatch<BaseEvent> | null {
    if (sent === null) return null;
    const { bus } = this.#watch(index);
    const wasCompleted = sent.completed;
    const dispatch = this.#try(bus, () => bus.dispatch(sent.event));
    // One whose signal has aborted, be it after its end, ends there within the call.
    const endsAtOnce = sent.cancelled || sent.controller?.signal.aborted === true;
    if (wasCompleted && (!sent.completed || endsAtOnce)) sent.reopened = true;
    return dispatch;
  }

  #forward(activity: Activity, index: number): Dispatch<BaseEvent> | null {
    return this.#redispatch(activity.sent, index);
  }

  async #forwardStep(index: number, awaited: boolean, actor: Actor): Promise<void> {
    if (actor.activity === null) return;
    this.#forward(actor.activity, index);
    if (awaited) await this.#await(actor.activity.sent, 'dispatch', actor);
  }

  #switch(how: 'on' | 'off', index: number): void {
    const handler = this.#handlers[index % this.#handlers.length];
    if (handler === undefined) return;
    const plan = this.#program.handlers[index % this.#handlers.length] as HandlerPlan;
    const { bus } = this.#watch(plan.bus);
    handler.subscription();
    if (how === 'on') handler.subscription = this.#try(bus, handler.register) ?? handler.subscription;
  }

  async #stop(index: number, patience: number, { activity }: Actor): Promise<void> {
    this.#calm = false;
    const { bus } = this.#watch(index);
    const resume = activity?.live === true ? this.#journal.suspend(activity, null) : null;
    await bus.stop({ timeout: patience / 1000 });
    resume?.();
  }

  async #capacity(call: Call, actor: Actor): Promise<void> {
    const { bus } = this.#watch(call.bus);
    const resume = actor.activity?.live === true ? this.#journal.suspend(actor.activity, null) : null;
    try {
      await bus.waitForCapacity();
    } catch (error) {
      this.#refused(bus, error);
      if (resume === null && (error as Error).name === 'BusCapacityError')
        this.#journal.violation(`waitForCapacity refused a task outside: ${String(error)}`);
    }
    resume?.();
    this.#dispatch(call, actor);
  }

  async #idle(index: number, { activity }: Actor): Promise<void> {
    const { bus } = this.#watch(index);
    const inside = activity?.live === true;
    const resume = inside ? this.#journal.suspend(activity, null) : null;
    const idle = await bus.waitUntilIdle().catch((error: unknown) => {
      if ((error as Error).name !== 'AwaitCycleError' || !inside)
        this.#journal.violation(`waiting until ${bus.name} is idle failed: ${String((error as Error).stack)}`);
      return true;
    });
    if (!idle) this.#journal.violation(`${bus.name} did not wait until it was idle`);
    resume?.();
  }

  #pick({ own, index }: Target, actor: Actor): Sent | null {
    const list = own ? actor.sent : this.#sent;
    return list[index % list.length] ?? null;
  }

  #await(sent: Sent | null, form: AwaitForm, { activity }: Actor): Promise<void> {
    return sent === null ? Promise.resolve() : awaitSent(this.#journal, this.#tally, sent, form, activity);
  }
}

function patternOf(type: number): string {
  return type === 0 ? '*' : `Type${type}`;
}
