const BEAT_MS = 5000;

const beats = new Set<() => void>();
let timer: NodeJS.Timeout | undefined;

/** Calls back every five seconds, for as long as this thread runs. Keeps no process alive. @returns ends it */
export function onHeartbeat(beat: () => void): () => void {
  beats.add(beat);
  timer ??= setInterval(() => {
    for (const each of beats) each();
  }, BEAT_MS).unref();
  return () => {
    beats.delete(beat);
    if (beats.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}
