import { BaseEvent, EventBus, isBusError } from '@threadbus/core';
import { linkBuses, type LinkedBus } from '@threadbus/link';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { randomNumbers } from '../../fixtures/random-numbers.ts';
import { nextTurn, ticks } from '../../helpers/gate.ts';
import { mutatingPair } from './mutating-pair.ts';

/** How many frames are changed; `THREADBUS_FRAMES=100000` for a long run, `THREADBUS_SEED` to run one again. */
const frames = Number(process.env['THREADBUS_FRAMES'] ?? 600);
const firstSeed = Number(process.env['THREADBUS_SEED'] ?? 1);

const Ask = BaseEvent.extend('Ask', { value: z.unknown() }, { timeout: 1 });
const Parent = BaseEvent.extend('Parent', { n: z.number() }, { timeout: 1 });
const Child = BaseEvent.extend('Child', { n: z.number(), text: z.string() }, { timeout: 1 });
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

const strange: unknown[] = [
  null,
  undefined,
  0,
  1,
  -1,
  2,
  7,
  1.5,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  1e308,
  Number.NaN,
  Infinity,
  true,
  false,
  '',
  'x',
  '__proto__',
  'constructor',
  [],
  {},
  [[]],
  [null],
  new Map(),
  new Date(Number.NaN),
  { error: {} },
  { error: { name: 1 } },
  { value: 1 },
  10n,
  JSON.parse('{"__proto__":{"polluted":true}}'),
  { constructor: { prototype: { polluted: true } } },
  'Ask',
  'a'.repeat(10_000),
];

/** One change somewhere in the frame, at any depth. */
function mutated(frame: unknown[], next: () => number): unknown[][] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const action = Math.floor(next() * 12);
  if (action === 0) return [];
  if (action === 1) return [frame, frame];
  if (action === 2) return [[...frame].reverse()];
  if (action === 3) return [pick(strange) as unknown[]];
  let place: Record<number, unknown> = frame;
  while (next() < 0.6) {
    const inner = Object.entries(place).filter(([, value]) => typeof value === 'object' && value !== null);
    if (inner.length === 0) break;
    place = pick(inner)[1] as typeof place;
  }
  const key = pick([...Object.keys(place), '0']) as never;
  if (action < 8) place[key] = pick(strange);
  else if (action === 8 && Array.isArray(place)) place.splice(Number(key), 1);
  else if (action === 9 && Array.isArray(place)) place.splice(Number(key), 0, pick(strange));
  else if (action === 10) place[key] = place[pick(Object.keys(place)) as never];
  else place[key] = typeof place[key] === 'number' ? place[key] + pick([-1, 1, 2, -7, 1000]) : pick(strange);
  return [frame];
}

/** Some of everything that links say, over one with a frame that is changed on its way. @returns what is wrong */
async function program(seed: number): Promise<string[]> {
  const problems: string[] = [];
  const next = randomNumbers(seed);
  let left = Math.floor(next() * 30);
  const [down, up] = mutatingPair((frame) => {
    left -= 1;
    return left === 0 ? mutated(frame, next) : [frame];
  });
  const here = new EventBus({ name: `Here${seed}`, logger: silent, maxPending: null });
  const there = new EventBus({ name: `There${seed}`, logger: silent, maxPending: null });
  const links = [linkBuses(here, down), linkBuses(there, up)] as const;
  const [remote, back] = links;
  there.on(Ask, ({ value }) => value);
  there.on(Parent, async ({ n }) => {
    there.dispatch(new Child({ n, text: 'there' }));
    await back.dispatch(new Child({ n, text: 'here' }));
    if (n === 3) throw Object.assign(new RangeError('three', { cause: new Error('why') }), { n });
    return { n, list: [n] };
  });
  here.on(Child, async ({ n }) => n);
  there.on(Child, ({ text }) => text);
  here.on(Child, remote.dispatch);
  back.on(Child, function guest({ n }) {
    return { n };
  });
  // Whatever it ends with: it has to end.
  const waiting = new Set<PromiseLike<unknown>>();
  const wait = (promise: PromiseLike<unknown>): void => {
    const settled = (): void => void waiting.delete(promise);
    waiting.add(promise);
    promise.then(settled, settled);
  };
  wait(remote.expect(Child, { timeout: 0.5 }));
  for (const each of links) wait(each);
  const dispatch = (to: LinkedBus, event: BaseEvent): void => {
    try {
      wait(to.dispatch(event).eventResult({ raiseIfNone: false }));
    } catch (error) {
      // The link is over already.
      if (!isBusError(error)) problems.push(String(error));
    }
  };
  for (let n = 0; n < 5; n += 1) {
    dispatch(remote, new Ask({ value: n % 2 === 0 ? n : { n, deep: [{ n }] } }));
    dispatch(remote, new Parent({ n }));
    if (n === 2) await ticks(1);
  }
  for (let turn = 0; turn < 12 && waiting.size > 1; turn += 1) await nextTurn();
  remote.close();
  for (let turn = 0; turn < 50 && waiting.size > 0; turn += 1) await nextTurn();
  if (waiting.size > 0) problems.push(`${waiting.size} never settled`);
  await here.stop({ clear: true });
  await there.stop({ clear: true });
  if ('polluted' in {} || Object.keys(Object.prototype).length > 0) problems.push('polluted');
  return problems;
}

test(`fuzz - ${frames} frames that were changed, from seed ${firstSeed}: nothing uncaught, nothing hangs, nothing polluted`, async () => {
  const failed: string[] = [];
  for (let seed = firstSeed; seed < firstSeed + frames; seed += 1) {
    for (const problem of await program(seed)) failed.push(`seed ${seed}: ${problem}`);
  }
  expect(failed).toEqual([]);
}, 3_600_000);
