import { type ChildProcess, spawnSync } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** Whether this process may make hosts of its own here; else why not. */
export function whyNoHosts(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  if (process.getuid?.() !== 0) return 'making network namespaces takes root';
  if (spawnSync('ip', ['-V']).status !== 0) return '`ip` is not installed (apt-get install iproute2)';
  const probe = `tbprobe${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', probe]);
  spawnSync('ip', ['netns', 'del', probe]);
  return made.status === 0 ? null : `no network namespace can be made: ${String(made.stderr).trim()}`;
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args);
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${String(stderr)}`);
}

/** Two hosts with a wire between them, which are gone when the test is over. */
export class TwoHosts {
  readonly names: readonly [string, string];
  readonly addresses = ['10.77.0.1', '10.77.0.2'] as const;
  /** What the wire does to packets; null where the kernel has no `netem`: then it is as quick as this machine. */
  readonly spoils: string | null;

  constructor(delay: string, loss: string) {
    const id = process.pid;
    this.names = [`tba${id}`, `tbb${id}`];
    onTestFinished(() => {
      for (const name of this.names) spawnSync('ip', ['netns', 'del', name]);
    });
    for (const name of this.names) ip('netns', 'add', name);
    const ends = [`va${id}`, `vb${id}`] as const;
    ip('link', 'add', ends[0], 'netns', this.names[0], 'type', 'veth', 'peer', 'name', ends[1], 'netns', this.names[1]);
    let spoils: string | null = `${delay} of delay, ${loss} lost, each way`;
    for (const at of [0, 1] as const) {
      const [name, end] = [this.names[at], ends[at]];
      ip('-n', name, 'addr', 'add', `${this.addresses[at]}/24`, 'dev', end);
      ip('-n', name, 'link', 'set', end, 'up');
      ip('-n', name, 'link', 'set', 'lo', 'up');
      const netem = ['qdisc', 'add', 'dev', end, 'root', 'netem', 'delay', delay, 'loss', loss];
      const { status } = spawnSync('ip', ['netns', 'exec', name, 'tc', ...netem]);
      if (status !== 0) spoils = null;
    }
    this.spoils = spoils;
  }

  /** Starts a program on one of them; it is ended when the test is over. */
  run(at: 0 | 1, command: string, ...args: readonly string[]): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.names[at], command, ...args], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { ...process.env, THREADBUS_LOG_LEVEL: 'silent' },
    });
    onTestFinished(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    });
    return child;
  }

  /** Cuts the wire, or mends it. */
  wire(state: 'up' | 'down'): void {
    ip('-n', this.names[0], 'link', 'set', `va${process.pid}`, state);
  }
}
