import type { ResolvedWorkerOptions } from '../options.ts';
import { isDebugged } from './thread-inspector.ts';

type HostOptions = Pick<ResolvedWorkerOptions, 'isolation' | 'execArgv' | 'env'>;

/**
 * The thread of a bus may stand at a breakpoint, or its process, which may have a debugger of its own.
 *
 * A thread has none, whatever its options say: that of this process sees it.
 */
export function mayBeHeld({ isolation, execArgv, env = process.env }: HostOptions): boolean {
  if (isDebugged()) return true;
  if (isolation === 'thread') return false;
  const { NODE_OPTIONS: more = '' } = env as NodeJS.ProcessEnv;
  return [...(execArgv ?? process.execArgv), ...more.split(/\s+/)].some((option) => opensInspector.test(option));
}

const opensInspector = /^--inspect(?:-brk|-wait)?(?:=|$)/;
