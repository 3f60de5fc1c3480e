import { fork, spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { MultiprocessSemaphoreOptions } from '@threadbus/semaphore';
import { onTestFinished } from 'vitest';
import type { Order, Report } from '../fixtures/semaphore/hold-slot.ts';
import { fixtureUrl } from '../helpers/fixture.ts';

type Options = MultiprocessSemaphoreOptions & { readonly scope?: 'global' | 'multiprocess' };

/** A process or a thread that takes and gives back slots when it is told to. */
export class Holder {
  readonly #target: ChildProcess | Worker;
  readonly #reports: Report[] = [];
  readonly #news = new EventEmitter();

  private constructor(target: ChildProcess | Worker) {
    this.#target = target;
    target.on('message', (report: Report) => {
      this.#reports.push(report);
      this.#news.emit('report');
    });
    target.on('error', () => {});
  }

  static async process(options: Options, env: Record<string, string> = {}): Promise<Holder> {
    const child = fork(fixtureUrl('semaphore/hold-slot'), [JSON.stringify(options)], {
      env: { ...process.env, ...env },
      // One of its orders is to throw.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return Holder.#ready(new Holder(child));
  }

  /**
   * A process that another command starts: `unshare` in another namespace, or one as another user.
   *
   * @param how the user to run as, and where the fixtures are that it can read
   */
  static async elsewhere(
    options: Options,
    command: readonly string[],
    how: { readonly uid?: number; readonly gid?: number; readonly fixtures?: string } = {},
  ): Promise<Holder> {
    const { fixtures, uid, gid } = how;
    const file = fixtures === undefined ? fileURLToPath(fixtureUrl('semaphore/hold-slot')) : `${fixtures}/hold-slot.js`;
    const [program, ...args] = [...command, process.execPath, file, JSON.stringify(options)];
    const child = spawn(program, args, {
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      cwd: '/',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return Holder.#ready(new Holder(child));
  }

  static async thread(options: Options, env: Record<string, string> = {}): Promise<Holder> {
    const worker = new Worker(fixtureUrl('semaphore/hold-slot'), {
      workerData: options,
      env: { ...process.env, ...env },
      stderr: true,
    });
    onTestFinished(async () => void (await worker.terminate()));
    return Holder.#ready(new Holder(worker));
  }

  static async #ready(holder: Holder): Promise<Holder> {
    await holder.report('ready');
    return holder;
  }

  get pid(): number {
    return this.#target instanceof Worker ? process.pid : Number(this.#target.pid);
  }

  get threadId(): number {
    return this.#target instanceof Worker ? this.#target.threadId : 0;
  }

  tell(order: Order): void {
    if (this.#target instanceof Worker) this.#target.postMessage(order);
    else this.#target.send(order);
  }

  /** The next report, which must be this one. */
  async report(expected: string): Promise<unknown> {
    while (this.#reports.length === 0) await once(this.#news, 'report');
    const report = this.#reports.shift();
    if (report?.done !== expected) {
      throw new Error(`Expected the holder to report "${expected}", got "${report?.done}": ${String(report?.value)}`);
    }
    return report.value;
  }

  async acquire(timeout?: number): Promise<void> {
    this.tell(timeout === undefined ? { do: 'acquire' } : { do: 'acquire', timeout });
    await this.report('acquired');
  }

  async release(): Promise<void> {
    this.tell({ do: 'release' });
    await this.report('released');
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Ends it, by a signal or by its own order, and waits for its end. */
  async end(how: NodeJS.Signals | 'terminate' | 'exit' | 'throw'): Promise<void> {
    // Not `once()`, which an 'error' rejects.
    const exit = new Promise((resolve) => this.#target.once('exit', resolve));
    if (how === 'exit' || how === 'throw') this.tell({ do: how });
    else if (this.#target instanceof Worker) await this.#target.terminate();
    else this.signal(how as NodeJS.Signals);
    await exit;
  }
}
