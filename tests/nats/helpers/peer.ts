import { type ChildProcess, fork, type ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';

export interface PeerPlan {
  readonly servers: string;
  readonly namespace: string;
  readonly name?: string;
  readonly replicas?: boolean;
  readonly parallel?: boolean;
}

type Message = Readonly<Record<string, unknown>>;

/** A process of its own that serves a bus, of fixtures/nats/peer.ts; ended when the test is over. */
export class Peer {
  readonly child: ChildProcess;
  readonly messages: Message[] = [];
  readonly #waiting = new Set<() => void>();
  /** What it has printed: read when it ends before it should. */
  #printed = '';

  constructor(plan: PeerPlan, program = 'nats/peer') {
    const env = { ...process.env, THREADBUS_LOG_LEVEL: 'silent' };
    const options: ForkOptions = { execArgv: [], env, stdio: ['ignore', 'inherit', 'pipe', 'ipc'] };
    this.child = fork(fileURLToPath(fixtureUrl(program)), [JSON.stringify({ name: 'Index', ...plan })], options);
    this.child.on('message', (message: Message) => {
      this.messages.push(message);
      for (const look of this.#waiting) look();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#printed += text;
      process.stderr.write(text);
    });
    onTestFinished(() => this.kill());
  }

  static async start(plan: PeerPlan, program?: string): Promise<Peer> {
    const peer = new Peer(plan, program);
    const first = await Promise.race([peer.says('ready'), peer.says('failed')]);
    if ('failed' in first) throw new Error(`the peer failed: ${String(first['failed'])}`);
    return peer;
  }

  /** The first message that has the key, now or later; fails when the process ends before. */
  async says(key: string): Promise<Message> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.messages.find((message) => key in message);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      // Not at its exit: what it has said and printed before is read until here.
      this.child.once('close', (code, signal) => {
        const how = `code ${code}, signal ${signal}; it printed:\n${this.#printed}`;
        reject(new Error(`the peer ended before it said ${key}: ${how}`));
      });
      look();
    });
  }

  send(message: string): void {
    this.child.send(message);
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }
}
