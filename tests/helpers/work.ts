import { Session } from 'node:inspector/promises';

// From the start: what has been compiled by then isn't counted in full.
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/**
 * How much a program makes the packages do: how often each block of their code runs, all blocks together. The same for
 * every run on every machine, where times are not; what is done within one call of the engine's own (a sort, a spread)
 * isn't seen.
 *
 * @returns blocks that were run
 */
export async function workOf(program: () => Promise<unknown>): Promise<number> {
  await session.post('Profiler.takePreciseCoverage');
  await program();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const counts = result
    .filter(({ url }) => /\/packages\/\w+\/dist\//.test(url))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)));
  return counts.reduce((sum, count) => sum + count, 0);
}
