import { lifecycleOf, LinkedList } from '@threadbus/core/internal';
import type { PoolCall } from './pool-call.ts';

/** The calls that wait for a thread, first come first served, but for those that a handler awaits. */
export class WaitingCalls {
  /** Those of events that a handler awaits: with its result the handler ends, and its thread is free. */
  readonly #urgent = new LinkedList<PoolCall>();
  readonly #others = new LinkedList<PoolCall>();

  get size(): number {
    return this.#urgent.size + this.#others.size;
  }

  get first(): PoolCall | null {
    return this.#urgent.first ?? this.#others.first;
  }

  /** The first, if nobody awaits it nor any that waits: only such a call may be given ahead. */
  get firstAhead(): PoolCall | null {
    return this.#urgent.size > 0 ? null : this.#others.first;
  }

  add(call: PoolCall): void {
    call.list = lifecycleOf(call.event).awaited ? this.#urgent : this.#others;
    call.list.push(call);
  }

  /** It has waited before: it should have begun by now if it was `lost`. */
  putFirst(call: PoolCall, lost: boolean): void {
    call.list = lost ? this.#urgent : this.#others;
    call.list.insertAfter(null, call);
  }

  remove(call: PoolCall): void {
    call.list?.remove(call);
    call.list = null;
  }

  takeAll(): PoolCall[] {
    const calls = [...this.#urgent, ...this.#others];
    for (const call of calls) this.remove(call);
    return calls;
  }
}
