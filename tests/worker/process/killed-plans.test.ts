import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AnyEvent, type BaseEvent, type Dispatch, EventBus } from '@threadbus/core';
import { observeThreads, WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { countOf, type Plan, planEvent, type PlanStep, runPlan } from '../../fixtures/worker/plans.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { randomNumbers } from '../../fixtures/random-numbers.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/*
 * Random programs over a bus here, two in threads and two in processes, of which most lose a host in the middle: the
 * thread ends itself, the process is killed, or stopped for a while. Whatever is lost, every event settles, no handler
 * begins twice for an event, what nobody killed comes to what it was planned to, and nothing is left under way.
 */
const count = Number(process.env['THREADBUS_PROGRAMS'] ?? 12);
const seed = Number(process.env['THREADBUS_SEED'] ?? Date.now() % 2 ** 30);
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
/** Seconds: longer than any program takes on a machine that is busy with others, several starts in a row included. */
const hungAfter = 180;
/** Seconds: one that is starved for longer than the default would be killed and started again, for ever. */
const startTimeout = 60;
/** So many of the last starts and ends are told of a program that hangs. */
const remembered = 40;

function ignore(): void {}

function randomPlan(random: () => number, depth: number): Plan {
  const steps = Array.from({ length: depth === 0 ? 0 : Math.floor(random() * 4) }, (): PlanStep => {
    const how = random() < 0.3 ? 'fire' : random() < 0.6 ? 'await' : 'together';
    return { to: Math.floor(random() * 20), how, plan: randomPlan(random, depth - 1) };
  });
  return { steps, end: random() > 0.9 ? 'throw' : 'value' };
}

/** What is done to whom, after so many turns of the event loop. */
type Attack = (hosts: readonly WorkerBus[], random: () => number) => Promise<void>;

const exit: Plan = { steps: [], end: 'exit' };
const attacks: readonly Attack[] = [
  async ([one, two], random) => {
    await (random() < 0.5 ? one : two)?.dispatch(planEvent(exit));
  },
  async ([, , one, two], random) => kill((random() < 0.5 ? one : two)?.pid ?? -1, 'SIGKILL'),
  async ([, , one, two], random) => {
    const pid = (random() < 0.5 ? one : two)?.pid ?? -1;
    kill(pid, 'SIGSTOP');
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    kill(pid, random() < 0.3 ? 'SIGKILL' : 'SIGCONT');
  },
  async (hosts) => {
    kill(hosts[2]?.pid ?? -1, 'SIGKILL');
    kill(hosts[3]?.pid ?? -1, 'SIGKILL');
    await hosts[0]?.dispatch(planEvent(exit));
  },
];

/** One that is being replaced has none. */
function kill(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 0) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

interface Cast {
  readonly main: EventBus;
  /** When which host started and ended. */
  readonly lives: string[];
  readonly hosts: readonly WorkerBus[];
  readonly witness: string;
  /** What the witness has said of earlier programs. */
  readonly begun: Set<string>;
}

async function start(): Promise<Cast> {
  const witness = join(tempFolder(), 'witness');
  writeFileSync(witness, '');
  const lives: string[] = [];
  const note = (what: string): void => {
    lives.push(`${(performance.now() / 1000).toFixed(1)} s ${what}`);
    if (lives.length > remembered) lives.shift();
  };
  const stopNoting = observeThreads({
    started: ({ name, pid, threadId }) => note(`${name} is up, pid ${pid}, thread ${threadId}`),
    ended: ({ name, pid, threadId, reason }) => note(`${name} ${reason}, pid ${pid}, thread ${threadId}`),
  });
  const main = new EventBus({ name: 'KilledMain', maxPending: null, maxHistorySize: 0, logger: silent });
  const hosts = await Promise.all(
    (['thread', 'thread', 'process', 'process'] as const).map((isolation, i) =>
      WorkerBus.start(fixtureUrl('worker/witnessed-plan-bus'), {
        parent: main,
        isolation,
        maxInFlight: [1, 256, 2, 256][i],
        startTimeout,
        restart: { limit: 1000, within: 1 },
        workerData: { witness, name: `Killed${i}` },
      }),
    ),
  );
  main.on('Plan', async (event: AnyEvent) => runPlan(event as unknown as { plan: Plan }, [main, ...hosts]));
  onTestFinished(async () => {
    for (const each of [...hosts, main]) await each.stop();
    stopNoting();
  });
  return { lives, main, hosts, witness, begun: new Set() };
}

/** What began twice for one event since the last look. */
function begunTwice({ witness, begun }: Cast): string[] {
  const twice: string[] = [];
  for (const line of readFileSync(witness, 'utf8').split('\n').slice(0, -1)) {
    if (begun.has(line)) twice.push(line);
    begun.add(line);
  }
  writeFileSync(witness, '');
  return twice;
}

async function withinTime<T>(work: Promise<T>, problem: () => Promise<string>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => void problem().then((text) => reject(new Error(text))), hungAfter * 1000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** What is under way where, as far as each host still tells. */
async function openIn({ lives, main, hosts }: Cast, sent: readonly Dispatch<BaseEvent>[]): Promise<string> {
  const told = hosts.map(async (host, i) => {
    const state = `${String(host)} pid ${host.pid} thread ${host.threadId} ${JSON.stringify(host.stats())}`;
    const tree = await Promise.race([
      host.logTree().catch((error: unknown) => String(error)),
      new Promise((resolve) => setTimeout(resolve, 5000, 'it tells nothing')),
    ]);
    return `host ${i}: ${state}\n${String(tree)}`;
  });
  const open = sent.map(({ event }, i) => `${i}: ${event.event_status} ${event.event_path.join('>')}`);
  const now = `now: ${(performance.now() / 1000).toFixed(1)} s`;
  return [open.join(', '), main.logTree(), ...(await Promise.all(told)), ...lives, now].join('\n');
}

/** @returns how many came to what they were planned to */
async function runProgram(number: number, cast: Cast): Promise<number> {
  const { main, hosts } = cast;
  const random = randomNumbers(number);
  const plans = Array.from({ length: 5 }, () => randomPlan(random, 3));
  const buses = [main, ...hosts];
  const attack = random() < 0.7 ? attacks[Math.floor(random() * attacks.length)] : undefined;
  const turns = Math.floor(random() * 6);
  const sent: Dispatch<BaseEvent>[] = plans.map((plan, i) => (buses[i] as EventBus).dispatch(planEvent(plan)));
  const attacked = (async () => {
    for (let turn = 0; turn < turns; turn += 1) await nextTurn();
    await attack?.(hosts, random);
  })();
  await withinTime(
    Promise.all([attacked, ...sent]),
    async () => `program ${number} hangs: ${await openIn(cast, sent)}`,
  );
  const values = await Promise.all(sent.map((each) => each.eventResult({ raiseIfAny: false, raiseIfNone: false })));
  const right = plans.map(countOf);
  const came = values.map((value) => value ?? 0);
  expect(attack === undefined ? came : right, `program ${number}`).toEqual(right);
  expect(begunTwice(cast), `program ${number}: handlers that began twice`).toEqual([]);
  return came.filter((value, i) => value === right[i]).length;
}

test(`killed plans - ${count} random programs over threads and processes that are killed: all settles, nothing runs twice`, async () => {
  console.log(`killed plans: ${count} programs, seed ${seed} (THREADBUS_PROGRAMS, THREADBUS_SEED)`);
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejections.push(reason);
  process.on('unhandledRejection', onRejection);
  const cast = await start();
  const { main, hosts } = cast;
  let right = 0;
  for (let i = 0; i < count; i += 1) right += await runProgram(seed + i, cast);
  expect(await main.waitUntilIdle({ timeout: hungAfter })).toBe(true);
  expect(await Promise.all(hosts.map((host) => host.waitUntilIdle({ timeout: hungAfter })))).toEqual(
    hosts.map(() => true),
  );
  expect(hosts.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0]);
  process.off('unhandledRejection', onRejection);
  expect(rejections).toEqual([]);
  const restarts = hosts.reduce((sum, host) => sum + host.stats().restarts, 0);
  console.log(`killed plans: ${right} of ${count * 5} as planned, ${restarts} hosts replaced`);
  // Programs that do nothing, or kill nobody, would pass as well.
  expect(right).toBeGreaterThan(0);
  expect(count < 10 || restarts > 0).toBe(true);
}, 0);
