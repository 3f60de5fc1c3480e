import type { Cancellable } from './life-parts.ts';

/** What few events have, apart from the life that all of them have: an event that waits is to hold little. */
export interface LifeExtras<Life> {
  /** Of an event from another thread: the nearest of its ancestors that this thread knows, as long as it isn't complete. */
  above: Life | null;
  /** The link over which the event came into this thread; null if it was made here. */
  cameOver: object | null;
  /** Whose links it was the first to cross, either way: elsewhere, too, something is known by its id. */
  crossed: object | null;
  /** Called whenever results were added; set only by whoever has shown the results to somebody. */
  onResults: (() => void) | null;
  /** Set if the event was dispatched with a signal. */
  cancellation: Cancellable | null;
}

/** Of every event that has none of them. */
export const noExtras: Readonly<LifeExtras<never>> = Object.freeze(newExtras());

/** The event's own, to set one of them. */
export function extrasOf<Life>(life: { extras: Readonly<LifeExtras<Life>> }): LifeExtras<Life> {
  if (life.extras === noExtras) life.extras = newExtras();
  return life.extras;
}

function newExtras(): LifeExtras<never> {
  return { above: null, cameOver: null, crossed: null, onResults: null, cancellation: null };
}
