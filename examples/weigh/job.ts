import { EventBus, type Logger } from '@threadbus/core';
import { isSemaphoreTimeoutError, MultiprocessSemaphore } from '@threadbus/semaphore';
import { HandlerPool, WorkerBus } from '@threadbus/worker';
import { FileFailed, FileFound, FileWeighed, type ReportData, ReportWanted } from './events.ts';
import { sampleTree } from './sample-tree.ts';
import { minificationSlots, weighFileUrl } from './settings.ts';
import type { SourceFile } from './source-files.ts';
import { StallMeter, type Stalls } from './stall-meter.ts';

/** What to weigh, and how. */
export interface Job {
  readonly folder: string;
  readonly files: AsyncIterable<SourceFile>;
  readonly threads: number;
  readonly limit: number;
  readonly walPath: string | undefined;
  readonly logPath: string | undefined;
  /** Ends the job; it rejects with the reason once everything has stopped. */
  readonly signal: AbortSignal;
  /** Called when a file is done, weighed or not. */
  readonly onFile: (file: SourceFile) => void;
  readonly logger: Logger;
}

/** What came of it. */
export interface JobOutcome {
  readonly folder: string;
  readonly threads: number;
  readonly limit: number;
  readonly report: ReportData;
  readonly stalls: Stalls;
  readonly seconds: number;
  /** The tree of one file's events; null if nothing was weighed. */
  readonly tree: string | null;
}

/** Files on their way for each thread: enough that none has to wait for Main, few enough that none waits long. */
const FILES_PER_THREAD = 8;

/**
 * Weighs the files.
 *
 * The Main bus dispatches a FileFound for each, as fast as the pool threads take them. A thread minifies and compresses
 * the file and dispatches a FileWeighed, which goes on to the Report bus in another thread. At the end Main asks that
 * bus for its report.
 *
 * @throws the signal's reason; SemaphoreLimitError if another run uses another limit; WalWriteError
 */
export async function weighFiles(job: Job): Promise<JobOutcome> {
  const { folder, threads, limit, logPath = null, walPath, signal, logger } = job;
  await checkSlots(limit);
  const maxPending = threads * FILES_PER_THREAD;
  // Each file is two events. Of one that is done the tree is still wanted.
  const main = new EventBus({ name: 'Main', maxPending, maxHistorySize: 3 * maxPending, walPath, logger });
  const pool = new HandlerPool({ maxThreads: threads });
  let report: WorkerBus | undefined;
  // Ends what is under way; what it may throw comes again when it is stopped below.
  const onAbort = (): void => void main.stop().catch(() => {});
  signal.addEventListener('abort', onAbort);
  try {
    // A new thread would begin with empty totals: rather no report than a wrong one.
    const once = { parent: main, restart: 'never' } as const;
    report = await WorkerBus.start(new URL('./report-bus.js', import.meta.url), once);
    signal.throwIfAborted();
    main.on(FileFound, pool.handler(weighFileUrl({ limit, logPath })));
    for (const pattern of [FileWeighed, FileFailed, ReportWanted]) main.on(pattern, report.dispatch);

    const startedAt = performance.now();
    const stalls = new StallMeter();
    const tree = await weighAll(main, job);
    const data = await main.dispatch(new ReportWanted({})).eventResult();
    const seconds = (performance.now() - startedAt) / 1000;
    return { folder, threads, limit, report: data, stalls: stalls.stop(), seconds, tree };
  } catch (error) {
    // What fails once everything is being stopped fails for that reason.
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Main first: it ends what is under way, so that the threads have nothing left to do.
    await Promise.all([main.stop(), pool.stop(), report?.stop()]);
  }
}

/** Tells at once, and not for each file, that the slots can't be used; that all are taken is fine. */
async function checkSlots(limit: number): Promise<void> {
  try {
    await using _slot = await new MultiprocessSemaphore({ name: minificationSlots, limit }).acquire({ timeout: 0 });
  } catch (error) {
    if (!isSemaphoreTimeoutError(error)) throw error;
  }
}

/** @returns the tree of the first file that was weighed */
async function weighAll(main: EventBus, { files, signal, onFile }: Job): Promise<string | null> {
  let tree: string | null = null;
  const weighOne = async (file: SourceFile): Promise<void> => {
    const found = await main.dispatch(new FileFound({ ...file }));
    if (signal.aborted) return;
    const [outcome] = found.event_results.values();
    if (outcome?.status === 'error') {
      // Out of time, a crashed thread, a file that can't be read: the thread could not report it itself.
      await main.waitForCapacity({ signal });
      const { path, package: owner } = file;
      await main.dispatch(new FileFailed({ path, package: owner, reason: String(outcome.error) }));
    } else if (outcome?.result !== null) {
      tree ??= sampleTree(main.logTree(), found);
    }
    onFile(file);
  };

  const underWay = new Set<Promise<void>>();
  for await (const file of files) {
    await main.waitForCapacity({ signal });
    const weighed = weighOne(file);
    underWay.add(weighed);
    // One that has failed stays, to be told below.
    weighed.then(
      () => underWay.delete(weighed),
      () => {},
    );
  }
  await Promise.all(underWay);
  signal.throwIfAborted();
  return tree;
}
