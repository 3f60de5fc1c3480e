import type { ResolvedWorkerOptions } from '../options.ts';
import { hasInspector } from './inspector-probe.ts';
import { monotonic } from './monotonic.ts';
import { isDebugged } from './thread-inspector.ts';

type HostOptions = Pick<ResolvedWorkerOptions, 'isolation' | 'execArgv' | 'env'>;

/**
 * The thread of a bus may stand at a breakpoint, or its process, which may have a debugger of its own.
 *
 * A thread has none, whatever its options say: that of this process sees it.
 */
function mayBeHeld({ isolation, execArgv, env = process.env }: HostOptions): boolean {
  if (isDebugged()) return true;
  if (isolation === 'thread') return false;
  const { NODE_OPTIONS: more = '' } = env as NodeJS.ProcessEnv;
  return [...(execArgv ?? process.execArgv), ...more.split(/\s+/)].some((option) => opensInspector.test(option));
}

const opensInspector = /^--inspect(?:-brk|-wait)?(?:=|$)/;

/** Seconds after which a process with an inspector of its own is asked again whether it still has it. */
const askPause = 1;
/** Seconds for which it counts as one that has. */
const trust = 5;

/** Whether a bus beside this thread may stand at a breakpoint, as far as that is known by now. */
export class DebugWatch {
  readonly #options: HostOptions;
  #seenAt = -Infinity;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  /** What was last known. */
  get holds(): boolean {
    return mayBeHeld(this.#options) || monotonic() - this.#seenAt < trust;
  }

  /** Looks, before anything is ended, whether the process has opened its inspector meanwhile. */
  async look(pid: number): Promise<boolean> {
    if (mayBeHeld(this.#options) || monotonic() - this.#seenAt < askPause) return true;
    const seen = this.#options.isolation === 'process' && (await hasInspector(pid));
    this.#seenAt = seen ? monotonic() : -Infinity;
    return seen;
  }
}
