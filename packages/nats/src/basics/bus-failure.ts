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
