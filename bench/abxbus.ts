// `npm run bench -- abxbus`: the load that abxbus measures itself by, many events and one handler, beside abxbus.
import { BaseEvent, EventBus } from '@threadbus/core';
import * as abxbus from 'abxbus';
import { z } from 'zod';
import { type BenchOptions, type Row, rounded, type Scenario } from './scenario.ts';

const Ours = BaseEvent.extend('Numbered', { n: z.number() });
const Theirs = abxbus.BaseEvent.extend('Numbered', { n: z.number() });

export const abxbusScenario: Scenario = { name: 'abxbus', run };

/** Rounds in turn, so that what else the machine does hits both; the ratio is the median of the rounds' ratios. */
async function run({ quick }: BenchOptions): Promise<readonly Row[]> {
  const events = quick ? 2_000 : 50_000;
  const rounds: { ours: number; theirs: number }[] = [];
  for (let round = 0; round < (quick ? 2 : 4); round += 1) {
    const ours = await perEvent(events, dispatchOurs);
    const theirs = await perEvent(events, dispatchTheirs);
    // The first round warms up.
    if (round > 0) rounds.push({ ours, theirs });
  }
  const ratio = median(rounds.map(({ ours, theirs }) => theirs / ours));
  return [
    {
      load: `${events} events × 1 handler`,
      'threadbus µs': rounded(median(rounds.map(({ ours }) => ours)), 2),
      'abxbus µs': rounded(median(rounds.map(({ theirs }) => theirs)), 2),
      'times faster': rounded(ratio, 1),
    },
  ];
}

async function perEvent(events: number, dispatchAll: (events: number) => Promise<number>): Promise<number> {
  const started = performance.now();
  const handled = await dispatchAll(events);
  if (handled !== events) throw new Error(`Expected ${events} events to be handled, got ${handled}.`);
  return ((performance.now() - started) * 1000) / events;
}

async function dispatchOurs(events: number): Promise<number> {
  const bus = new EventBus({ maxPending: null });
  let handled = 0;
  bus.on(Ours, () => void (handled += 1));
  for (let n = 0; n < events; n += 1) bus.dispatch(new Ours({ n }));
  await bus.waitUntilIdle();
  await bus.stop({ clear: true });
  return handled;
}

async function dispatchTheirs(events: number): Promise<number> {
  const bus = new abxbus.EventBus('Peer', { max_history_size: null });
  let handled = 0;
  bus.on(Theirs, () => void (handled += 1));
  for (let n = 0; n < events; n += 1) bus.emit(Theirs({ n }));
  await bus.waitUntilIdle();
  return handled;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
