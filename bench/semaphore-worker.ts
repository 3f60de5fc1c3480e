import { setTimeout as sleep } from 'node:timers/promises';
import { takeWith, type Peer } from './semaphore-peers.ts';

// A process beside the benchmark's own: holds a slot until it is told to give it back, or takes slots in competition.

export interface WorkerOrder {
  readonly peer: Peer;
  readonly directory: string;
  readonly name: string;
  /** Take part in the competition for so long, in ms. 0: hold one slot until the message `release`. */
  readonly competeMs: number;
}

const now = (): number => Number(process.hrtime.bigint() / 1000n);
const { peer, directory, name, competeMs } = JSON.parse(process.argv[2] ?? '') as WorkerOrder;
const take = takeWith(peer, directory, name);
process.on('disconnect', () => process.exit());

if (competeMs > 0) {
  process.once('message', () => void compete());
  process.send?.('ready');
} else {
  process.on('message', (order: 'hold' | 'release') => void (order === 'hold' ? hold() : release()));
  process.send?.('ready');
}

let giveBack: (() => Promise<void>) | undefined;

async function hold(): Promise<void> {
  giveBack = await take();
  process.send?.('held');
}

async function release(): Promise<void> {
  const at = now();
  await giveBack?.();
  process.send?.(at);
}

/** Reports how long each wait took, in µs. */
async function compete(): Promise<void> {
  const waits: number[] = [];
  const end = now() + competeMs * 1000;
  while (now() < end) {
    const started = now();
    const done = await take();
    waits.push(now() - started);
    await sleep(5);
    await done();
    await sleep(Math.random() * 20);
  }
  process.send?.(waits);
}
