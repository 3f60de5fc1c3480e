/** Who waits for each signal. Calls share one listener: Node warns of a leak from the eleventh on. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back once when the signal aborts; the caller has checked that it has not yet.
 *
 * @returns takes the callback off; with the last one the listener goes, too
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let callbacks = waiting.get(signal);
  if (callbacks === undefined) waiting.set(signal, (callbacks = new Set()));
  const own = callbacks;
  // An object of its own, so that one function given twice counts twice.
  const entry = (): void => callback();
  if (own.size === 0) signal.addEventListener('abort', tell);
  own.add(entry);
  return () => {
    if (own.delete(entry) && own.size === 0) signal.removeEventListener('abort', tell);
  };
}

function tell(this: AbortSignal): void {
  const callbacks = waiting.get(this);
  this.removeEventListener('abort', tell);
  if (callbacks === undefined) return;
  const all = [...callbacks];
  callbacks.clear();
  for (const callback of all) callback();
}
