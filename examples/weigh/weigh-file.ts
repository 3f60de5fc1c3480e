// The handler of FileFound, loaded by the threads of the pool. Its settings are in its URL, see `weighFileUrl`.
import { readFile } from 'node:fs/promises';
import { MultiprocessSemaphore } from '@threadbus/semaphore';
import { FileFailed, type FileFound, FileWeighed, type Weight } from './events.ts';
import { MinificationLog } from './minification-log.ts';
import { minificationSlots, readSettings } from './settings.ts';
import { UnparsableError, weigh } from './weight.ts';

const { limit, logPath } = readSettings(import.meta.url);
const slots = new MultiprocessSemaphore({ name: minificationSlots, limit });
const log = new MinificationLog(logPath);

export default async function weighFile(event: FileFound, { signal }: { signal: AbortSignal }): Promise<Weight | null> {
  const { path, package: owner } = event;
  const source = await readFile(path, { signal });
  await using _slot = await slots.acquire({ signal });
  try {
    const weight = await log.note(path, () => weigh(source));
    event.event_bus.dispatch(new FileWeighed({ path, package: owner, ...weight }));
    return weight;
  } catch (error) {
    if (!(error instanceof UnparsableError)) throw error;
    // Nothing is wrong with the run: the report tells it, and the job goes on.
    event.event_bus.dispatch(new FileFailed({ path, package: owner, reason: error.message }));
    return null;
  }
}
