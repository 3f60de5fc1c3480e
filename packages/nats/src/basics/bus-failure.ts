import { EventBus } from '@threadbus/core';
import { busEngine } from '@threadbus/core/internal';

/** Why a bus takes no events any more: it was stopped, or what is behind it is gone. @returns null while it does */
export function failureOf(bus: unknown): Error | null {
  if (bus instanceof EventBus) {
    const engine = busEngine(bus);
    return engine.stopped ? engine.stoppedError() : null;
  }
  const { failure = null } = (bus ?? {}) as { readonly failure?: Error | null };
  return failure;
}

/**
 * Tells, once, that a bus takes no events any more: at once, if it takes none now. Of one in a thread that is stopped
 * nobody hears before it is given an event.
 *
 * @returns ends it
 */
export function whenBroken(bus: object, broken: (error: Error) => void): () => void {
  const failure = failureOf(bus);
  if (failure !== null) {
    broken(failure);
    return () => undefined;
  }
  if (bus instanceof EventBus) return bus.observe({ stopped: () => broken(busEngine(bus).stoppedError()) });
  const { closed, name } = bus as { readonly closed?: Promise<Error | null>; readonly name: string };
  let isOver = false;
  void closed?.then((error) => {
    if (!isOver) broken(error ?? new Error(`The link to ${name} was closed.`));
  });
  return () => {
    isOver = true;
  };
}
