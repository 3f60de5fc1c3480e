import { BaseEvent } from '@threadbus/core';
import { expect, onTestFinished, test } from 'vitest';
import { nextTurn, rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { startBus } from '../../helpers/worker-bus.ts';
import { Double } from '../../fixtures/worker/events.ts';

const Ping = BaseEvent.extend('Ping', {});
const no = (async () => false) as never;
const fails = (async () => {
  throw new Error('broken');
}) as never;

function countUnhandled(): () => number {
  let count = 0;
  const listener = (): void => void (count += 1);
  process.on('unhandledRejection', listener);
  onTestFinished(() => void process.off('unhandledRejection', listener));
  return () => count;
}

test('filter - one that answers later is refused, never taken for a yes', async () => {
  const unhandled = countUnhandled();
  const bus = quietBus();
  bus.on(Ping, () => 1);
  const waits = [no, fails].flatMap((filter) => [
    bus.expect(Ping, { include: filter }),
    bus.expect(Ping, { exclude: filter }),
    bus.expect(Ping, { predicate: filter }),
    bus.find(Ping, { past: false, future: true, where: filter }),
  ]);
  const errors = Promise.all(waits.map((wait) => rejection(wait)));
  const event = await bus.dispatch(new Ping({}));
  for (const filter of [no, fails]) {
    waits.push(bus.find(Ping, { where: filter }), event.eventResult({ include: filter }) as Promise<never>);
  }
  for (const error of [...(await errors), ...(await Promise.all(waits.slice(-4).map((wait) => rejection(wait))))]) {
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain('at once');
  }
  await nextTurn();
  expect(unhandled()).toBe(0);
});

test('filter - the same for a bus in a thread, which also refuses options that it does not know', async () => {
  const bus = await startBus('havoc-bus');
  const wait = rejection(bus.expect('*', { include: no, timeout: 5 }));
  void bus.dispatch(new Double({ n: 1 }));
  expect((await wait).message).toContain('at once');
  expect((await rejection(bus.expect('*', { timeuot: 1 } as object))).message).toContain("no option 'timeuot'");
  expect(() => bus.on('*', () => 1, { onec: true } as object)).toThrow("no option 'onec'");
});

test('filter - a logger or an observer that fails later is no unhandled rejection', async () => {
  const unhandled = countUnhandled();
  const rejects = (async () => {
    throw new Error('the log is gone');
  }) as never;
  const bus = quietBus({ logger: { debug: rejects, info: rejects, warn: rejects, error: rejects } });
  bus.observe({ started: rejects, completed: rejects });
  bus.on(Ping, () => {
    throw new Error('logged');
  });
  await bus.dispatch(new Ping({}));
  await nextTurn();
  expect(unhandled()).toBe(0);
});
